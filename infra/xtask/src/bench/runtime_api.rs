use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// A report of the function to Lambda.
#[derive(Debug)]
pub enum Told {
    /// The function polls, and no event is left.
    Idle,
    /// The function answered an event.
    Answered {
        /// Whether the status is 200.
        accepted: bool,
    },
    /// The function answered an event with an error.
    Failed,
    /// The function cannot start. The text is the reason.
    CouldNotStart(String),
}

/// Lambda's Runtime API on a loopback port. It returns its events, then never answers another poll. Its
/// threads end with this process.
///
/// It can also serve as the AWS endpoint of the function and then refuses every call at once. A port on which
/// nothing listens does not work here: the SDK retries after random pauses, and callgrind counts each retry.
#[derive(Debug)]
pub struct RuntimeApi {
    /// The address on which it listens.
    pub address: SocketAddr,
    /// The reports of the function.
    pub told: Receiver<Told>,
}

/// The response of AWS to a call that the SDK must not retry.
const REFUSAL: &str = "HTTP/1.1 400 Bad Request\r\n\
    Content-Type: application/x-amz-json-1.0\r\n\
    Content-Length: 32\r\n\r\n\
    {\"__type\":\"ValidationException\"}";

/// The events and their position, which all connections share.
struct Script {
    events: Vec<Vec<u8>>,
    handed_out: AtomicUsize,
}

impl RuntimeApi {
    /// Starts a server that returns these events, one after the other.
    ///
    /// # Errors
    ///
    /// If no loopback port is free.
    pub fn start(events: Vec<Vec<u8>>) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let (sender, told) = channel();
        let script = Arc::new(Script { events, handed_out: AtomicUsize::new(0) });
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (script, sender) = (Arc::clone(&script), sender.clone());
                // Ignore a broken connection: the code that waits for the function notices its end.
                thread::spawn(move || script.serve(&connection, &sender));
            }
        });
        Ok(Self { address, told })
    }
}

impl Script {
    fn serve(&self, connection: &TcpStream, told: &Sender<Told>) -> std::io::Result<()> {
        // With Nagle's algorithm each reply waits 40 ms for the acknowledgement of the reply before it.
        connection.set_nodelay(true)?;
        let mut reader = BufReader::new(connection);
        while let Some(request) = Request::read(&mut reader)? {
            if request.path.ends_with("/invocation/next") {
                let number = self.handed_out.fetch_add(1, Ordering::Relaxed);
                let Some(event) = self.events.get(number) else {
                    let _ = told.send(Told::Idle);
                    // Block here until the process ends.
                    reader.read_to_end(&mut Vec::new())?;
                    return Ok(());
                };
                hand_out(connection, number, event)?;
                continue;
            }
            let mut stream = connection;
            if !request.path.starts_with("/2018-06-01/runtime/") {
                stream.write_all(REFUSAL.as_bytes())?;
                continue;
            }
            if request.path.ends_with("/response") {
                let accepted = request.body.contains("\"statusCode\":200");
                let _ = told.send(Told::Answered { accepted });
            } else if request.path.ends_with("/init/error") {
                let _ = told.send(Told::CouldNotStart(request.body));
            } else if request.path.ends_with("/error") {
                let _ = told.send(Told::Failed);
            }
            stream.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")?;
        }
        Ok(())
    }
}

fn hand_out(mut connection: &TcpStream, number: usize, event: &[u8]) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\n\
         Content-Type: application/json\r\n\
         Lambda-Runtime-Aws-Request-Id: 00000000-0000-4000-8000-{number:012}\r\n\
         Lambda-Runtime-Deadline-Ms: 4102444800000\r\n\
         Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-central-1:000000000000:function:bench\r\n\
         Content-Length: {}\r\n\r\n",
        event.len()
    );
    connection.write_all(&[head.as_bytes(), event].concat())
}

struct Request {
    path: String,
    body: String,
}

impl Request {
    /// The next request of a connection; `None` at its end.
    fn read(reader: &mut BufReader<&TcpStream>) -> std::io::Result<Option<Self>> {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut length = 0;
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let header = line.trim_end().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        Ok(Some(Self { path, body: String::from_utf8_lossy(&body).into_owned() }))
    }
}
