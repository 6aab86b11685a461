//! Conversion of SQS messages to the JSON event of an invocation, and of its response to failed message ids.

use std::collections::HashSet;

use aws_sdk_sqs::types::{Message, MessageAttributeValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::engines::REGION;

/// The event of a batch, in the format of Lambda.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>
pub(super) fn sqs_event(batch: &[Message], queue_arn: &str) -> Value {
    let records: Vec<_> = batch.iter().map(|m| record(m, queue_arn)).collect();
    json!({ "Records": records })
}

fn record(message: &Message, queue_arn: &str) -> Value {
    let attributes: Map<String, Value> = message
        .attributes()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str().to_owned(), json!(value)))
        .collect();
    let message_attributes: Map<String, Value> = message
        .message_attributes()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), message_attribute(value)))
        .collect();
    let mut record = json!({
        "messageId": message.message_id(),
        "receiptHandle": message.receipt_handle(),
        "body": message.body(),
        "attributes": attributes,
        "messageAttributes": message_attributes,
        "md5OfBody": message.md5_of_body(),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": REGION,
    });
    if let Some(md5) = message.md5_of_message_attributes() {
        record["md5OfMessageAttributes"] = json!(md5);
    }
    record
}

fn message_attribute(value: &MessageAttributeValue) -> Value {
    let mut attribute = json!({
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": value.data_type(),
    });
    if let Some(text) = value.string_value() {
        attribute["stringValue"] = json!(text);
    }
    if let Some(bytes) = value.binary_value() {
        attribute["binaryValue"] = json!(STANDARD.encode(bytes));
    }
    attribute
}

/// The message ids that a response reports as failed, by Lambda's rules. A response without failures means
/// success. `None` means that the whole batch failed: the response is malformed, or names a message that is
/// not in the batch.
pub(super) fn reported_failures(response: &Value, batch: &[Message]) -> Option<HashSet<String>> {
    let failures = match response {
        Value::Null => return Some(HashSet::new()),
        Value::Object(fields) => fields.get("batchItemFailures"),
        _ => return None,
    };
    let failures = match failures {
        None | Some(Value::Null) => return Some(HashSet::new()),
        Some(Value::Array(failures)) => failures,
        Some(_) => return None,
    };
    failures
        .iter()
        .map(|failure| {
            let id = failure.get("itemIdentifier")?.as_str()?;
            let known = batch.iter().any(|m| m.message_id() == Some(id));
            known.then(|| id.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::types::MessageSystemAttributeName as Name;

    use super::*;

    fn message(id: &str) -> Message {
        Message::builder()
            .message_id(id)
            .receipt_handle("handle")
            .body("{}")
            .md5_of_body("md5")
            .attributes(Name::ApproximateReceiveCount, "2")
            .attributes(Name::SentTimestamp, "1583348638390")
            .build()
    }

    #[test]
    fn an_event_has_the_format_of_lambda() {
        let event = sqs_event(&[message("a")], "arn:aws:sqs:us-east-1:000000000000:placet");
        let expected = json!({ "Records": [{
            "messageId": "a",
            "receiptHandle": "handle",
            "body": "{}",
            "attributes": {
                "ApproximateReceiveCount": "2",
                "SentTimestamp": "1583348638390",
            },
            "messageAttributes": {},
            "md5OfBody": "md5",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:placet",
            "awsRegion": "us-east-1",
        }]});
        assert_eq!(event, expected);
    }

    #[test]
    fn message_attributes_are_passed_on() {
        let text = MessageAttributeValue::builder().data_type("String").string_value("v");
        let bytes = MessageAttributeValue::builder()
            .data_type("Binary")
            .binary_value(aws_sdk_sqs::primitives::Blob::new([255]));
        let message = Message::builder()
            .message_attributes("t", text.build().unwrap())
            .message_attributes("b", bytes.build().unwrap())
            .build();
        let record = record(&message, "arn");
        let lists = json!([]);
        assert_eq!(
            record["messageAttributes"],
            json!({
                "t": { "stringValue": "v", "dataType": "String",
                       "stringListValues": lists, "binaryListValues": lists },
                "b": { "binaryValue": "/w==", "dataType": "Binary",
                       "stringListValues": lists, "binaryListValues": lists },
            })
        );
    }

    #[test]
    fn failures_follow_the_rules_of_lambda() {
        let batch = [message("a"), message("b")];
        for success in [
            json!(null),
            json!({}),
            json!({ "batchItemFailures": null }),
            json!({ "batchItemFailures": [] }),
        ] {
            let failures = reported_failures(&success, &batch);
            assert_eq!(failures, Some(HashSet::new()), "{success}");
        }
        let one = json!({ "batchItemFailures": [{ "itemIdentifier": "b" }] });
        let failures = reported_failures(&one, &batch);
        assert_eq!(failures, Some(HashSet::from(["b".to_owned()])));
        for failure in [
            json!("done"),
            json!([]),
            json!(true),
            json!({ "batchItemFailures": "b" }),
            json!({ "batchItemFailures": ["b"] }),
            json!({ "batchItemFailures": [{ "itemIdentifier": "" }] }),
            json!({ "batchItemFailures": [{ "itemIdentifier": null }] }),
            json!({ "batchItemFailures": [{ "itemIdentifier": 7 }] }),
            json!({ "batchItemFailures": [{ "id": "b" }] }),
            json!({ "batchItemFailures": [{ "itemIdentifier": "b" }, { "itemIdentifier": "z" }] }),
        ] {
            assert_eq!(reported_failures(&failure, &batch), None, "{failure}");
        }
    }
}
