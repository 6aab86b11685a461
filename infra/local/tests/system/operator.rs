//! Requests of an operator to our own API: receipts, deliveries and endpoints.

use serde::de::DeserializeOwned;

use crate::client::{Client, DeliveryReply, EndpointReply, List, ReceiptReply, Typed};

impl Client<'_> {
    /// All pages of a list. The path may have a query.
    pub async fn pages<T: DeserializeOwned>(&self, path: &str) -> Vec<Vec<T>> {
        let (mut pages, mut next) = (Vec::new(), path.to_owned());
        loop {
            let page: List<T> = self.get(&next).await.ok();
            pages.push(page.items);
            let Some(cursor) = page.next else { return pages };
            let joint = if path.contains('?') { '&' } else { '?' };
            next = format!("{path}{joint}cursor={cursor}");
        }
    }

    /// One page of receipts.
    pub async fn receipts(&self, query: &str) -> List<ReceiptReply> {
        self.get(&format!("/v1/receipts?{query}")).await.ok()
    }

    pub async fn replay(&self, id: &str) -> Typed<ReceiptReply> {
        self.command(&format!("/v1/receipts/{id}/replay")).await
    }

    /// One page of deliveries.
    pub async fn deliveries(&self, query: &str) -> List<DeliveryReply> {
        self.get(&format!("/v1/deliveries?{query}")).await.ok()
    }

    pub async fn redeliver(&self, id: &str) -> Typed<DeliveryReply> {
        self.command(&format!("/v1/deliveries/{id}/redeliver")).await
    }

    pub async fn endpoints(&self) -> List<EndpointReply> {
        self.get("/v1/endpoints").await.ok()
    }

    pub async fn enable_endpoint(&self, name: &str) -> Typed<EndpointReply> {
        self.command(&format!("/v1/endpoints/{name}/enable")).await
    }

    /// Sends test events to an endpoint. `query` is empty or begins with `?`.
    pub async fn test_endpoint(&self, name: &str, query: &str) -> Typed<List<DeliveryReply>> {
        self.command(&format!("/v1/endpoints/{name}/test{query}")).await
    }
}
