use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use super::measured::Aws;
use crate::error::Error;
use crate::workspace::Workspace;

/// The process `placet engines` with a DynamoDB and an SQS. Dropping this kills the process.
#[derive(Debug)]
pub struct Engines {
    child: Child,
    /// The endpoints of the engines.
    pub aws: Aws,
}

impl Engines {
    /// Builds and starts the engines.
    ///
    /// # Errors
    ///
    /// If the engines do not print their endpoints.
    pub fn start(workspace: &Workspace) -> Result<Self, Error> {
        workspace.run(workspace.cargo("build --package placet"))?;
        let folder = workspace.target.join("bench");
        std::fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
        let log = folder.join("engines.log");
        let log = File::create(&log).map_err(Error::file(&log))?;
        let mut command = workspace.command(workspace.target.join("debug/placet"), ["engines"]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(|source| Error::Start { command: "placet engines".to_owned(), source })?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            let _ = BufReader::new(output).read_line(&mut line);
        }
        let said: Value = serde_json::from_str(&line).unwrap_or_default();
        let url = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
        let aws = Aws {
            dynamodb: url("dynamodb_url"),
            sqs: url("sqs_url"),
            queue_url: url("work_queue_url"),
        };
        let engines = Self { child, aws };
        engines.queued()?;
        Ok(engines)
    }

    /// The number of messages on the queue `work`.
    ///
    /// # Errors
    ///
    /// If the engine does not return the number.
    pub fn queued(&self) -> Result<usize, Error> {
        const COUNT: &str = "ApproximateNumberOfMessages";
        let question = json!({"QueueUrl": self.aws.queue_url, "AttributeNames": [COUNT]});
        let reply = ask(&self.aws.sqs, "AmazonSQS.GetQueueAttributes", &question.to_string())
            .map_err(|error| Error::Engines(error.to_string()))?;
        let count = reply["Attributes"][COUNT].as_str().and_then(|count| count.parse().ok());
        count.ok_or_else(|| Error::Engines(format!("the queue did not return its length: {reply}")))
    }
}

impl Drop for Engines {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes one call in the JSON protocol of AWS. The engines need no credentials.
fn ask(url: &str, target: &str, body: &str) -> std::io::Result<Value> {
    let host = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host)?;
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {host}\r\nX-Amz-Target: {target}\r\n\
         Content-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    let body = reply.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Ok(serde_json::from_str(body).unwrap_or_default())
}
