use placet_core::Timestamp;
use placet_core::receipt::Claim;

use super::attributes::{Reader, Writer};
use super::{Put, Store, StoreError, key};

impl Store {
    /// Claims a signature or a body for a receipt of a project. Returns the id of the receipt that owns the
    /// claim: this receipt, or that of an earlier claim that has not expired.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails, or the earlier claim cannot be read.
    pub async fn claim(
        &self,
        project: &str,
        claim: &Claim,
        receipt_id: &str,
        now: Timestamp,
    ) -> Result<String, StoreError> {
        let mut row = key::claim(project, &claim.key);
        let attributes = Writer::default()
            .text("receipt_id", receipt_id)
            .number("expires", claim.expires.millis())
            .number("ttl", claim.expires.seconds());
        row.extend(attributes.finish());
        // DynamoDB deletes expired rows late.
        let condition = "attribute_not_exists(pk) OR expires <= :now";
        let values = Writer::default().number(":now", now.millis()).finish();
        match self.put_if(row, condition, values).await? {
            Put::Stored | Put::Existing(None) => Ok(receipt_id.to_owned()),
            Put::Existing(Some(row)) => Ok(Reader(&row).text("receipt_id")?.to_owned()),
        }
    }
}
