//! The budgets of Placet: how much one request, operation, webhook or answer may take. `docs/LIMITS.md` says what
//! happens beyond each.

use std::time::Duration;

/// How often an API key may write in a second, if no setting says otherwise.
pub const WRITES_PER_SECOND: u32 = 100;

/// How many seconds of writes an API key may do at once after a pause.
pub const WRITES_BURST_SECONDS: u32 = 2;

/// The highest setting of the rate of writes.
pub const MOST_WRITES: u32 = 1_000_000;

/// The longest id that a requester may choose, in bytes.
pub const LONGEST_ID: usize = 255;

/// The longest `Idempotency-Key`, in bytes.
pub const LONGEST_IDEMPOTENCY_KEY: usize = 255;

/// The largest specification of an operation, in bytes of JSON. DynamoDB's limit is 400 KB per row, and a row also
/// needs room for the result (64 KB), the comment (16 KB, also in the history) and up to a hundred attempts.
pub const LARGEST_SPECIFICATION: usize = 200 * 1024;

/// The deepest nesting of a specification, and of a result. Both are stored and sent some levels deeper, and the JSON
/// parser reads up to a depth of 127. Deeper JSON could be written but never read again.
pub const DEEPEST_SPECIFICATION: usize = 100;

/// The most JSON values of a specification: objects, lists and the values in them. A value can take 700 bytes of
/// memory, and a page of a list holds many operations.
pub const MOST_SPECIFICATION_VALUES: usize = 10_000;

/// The most memory of the tree of a JSON text, in bytes. No operation needs more, and a function has 256 MB.
pub const HEAVIEST_JSON: usize = 16 * 1024 * 1024;

/// The most options of an operation: more would not fit on a page that a person reads.
pub const MOST_OPTIONS: usize = 50;

/// The longest comment or answer, in bytes of its JSON string. A control character takes six bytes there.
/// The decision and the history store the text.
pub const LONGEST_COMMENT: usize = 16 * 1024;

/// The longest message of an escalation, in bytes. The history keeps every message.
pub const LONGEST_ESCALATION: usize = 2 * 1024;

/// The most additional recipients of an e-mail. The history keeps the recipients of every escalation.
pub const MOST_RECIPIENTS: usize = 10;

/// The longest e-mail address, in bytes. <https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.3>
pub const LONGEST_ADDRESS: usize = 254;

/// The longest subject of a mail, in characters.
pub const LONGEST_SUBJECT: usize = 150;

/// How much of an argument a mail shows, in characters. The page shows all of it.
pub const LONGEST_IN_MAIL: usize = 500;

/// How much of a question, a comment or an error message a mail shows, in characters.
pub const LONGEST_QUOTE_IN_MAIL: usize = 2000;

/// How many arguments a mail shows.
pub const MOST_ARGUMENTS_IN_MAIL: usize = 50;

/// The most work of a requester's mail template, in units of its engine: about as many instructions, or 64 bytes of
/// data each.
pub const MAIL_TEMPLATE_FUEL: u64 = 200_000;

/// The largest HTML that a requester's mail template may make, in bytes.
pub const LARGEST_MAIL_HTML: usize = 256 * 1024;

/// How many mails the mailbox of the local system keeps.
pub const MOST_KEPT_MAILS: usize = 200;

/// How many times a requester may escalate an operation.
pub const MOST_ESCALATIONS: usize = 10;

/// The most reminders that `placet.yaml` may configure for an operation that waits for a decision.
pub const MOST_REMINDERS: usize = 10;

/// The most people, and the most other addresses, that get a mail about one event of an operation.
pub const MOST_MAILED: usize = 20;

/// How many links one may make for an operation, and how many one may revoke. The history keeps each.
pub const MOST_LINKS: usize = 20;

/// How many times a person may run an operation again after an unknown outcome. The history keeps every
/// settlement.
pub const MOST_RUNS_AGAIN: usize = 10;

/// The largest result of an operation, in bytes.
pub const LARGEST_RESULT: usize = 64 * 1024;

/// The most operations that one request settles.
pub const MOST_SETTLED: usize = 100;

/// How many polls a process holds at the same time.
pub const MOST_HELD_POLLS: usize = 256;

/// The longest time for which a poll is held. Clients stop waiting after 30 s.
pub const LONGEST_POLL: Duration = Duration::from_secs(25);

/// The most items of a page of a list, and of each list in the inbox.
pub const MOST_LISTED: usize = 100;

/// The number of entries after which the count of items that wait for a person stops.
pub const MOST_COUNTED: usize = 2000;

/// The size after which a list of pending operations ends, in bytes of JSON: a response of Lambda has at most 6 MB.
pub const LARGEST_PENDING_LIST: usize = 4 * 1024 * 1024;

/// The most entries that one page of a list reads.
pub const MOST_ENTRIES: usize = 1000;

/// The most entries that one page of the decided operations or of the problems reads in the inbox, without a filter.
pub const MOST_LOOKED_AT: usize = 200;

/// The size of items after which a page of a list stops, in bytes of JSON. In memory, items take up to a hundred
/// times as much, and a function has 256 MB.
pub const LARGEST_PAGE: usize = 1024 * 1024;

/// The largest body of a webhook, in bytes: the event of a Function URL has at most 6 MB, and the body in it is
/// base64.
pub const LARGEST_WEBHOOK: usize = 4_700_000;

/// The most fields that a form may have. In memory an empty field is fifty times as large as in the text.
pub const MOST_FIELDS: usize = 10_000;

/// The most values at one location of a webhook.
pub const MOST_VALUES_AT_LOCATION: usize = 10_000;

/// The most signatures in one webhook. Each signature costs work before the sender is known.
pub const MOST_SIGNATURES: usize = 16;

/// The most bytes of unverified input that the answer to a handshake echoes.
pub const LARGEST_ECHO: usize = 1024;

/// The most bytes of headers in the record of a webhook.
pub const LARGEST_HEADERS: usize = 16 * 1024;

/// The most bytes of an identity in the record of a webhook. The receipt's id is derived from the whole identity.
pub const LONGEST_IDENTITY: usize = 256;

/// The largest key set or certificate that a sender publishes, in bytes.
pub const LARGEST_KEY_DOCUMENT: usize = 256 * 1024;

/// How many key sets and certificates are cached.
pub const MOST_KEY_DOCUMENTS: usize = 64;

/// How many failed fetches of keys are remembered. While so many keys could not be fetched within
/// [`LEAST_BETWEEN_FETCHES`], no further key is fetched. So requests that invent addresses cause a limited number of
/// fetches.
pub const MOST_FAILED_FETCHES: usize = 64;

/// The least time between two fetches of a document because a key is missing in it. A request that names an
/// invented key must not cause a fetch each time.
pub const LEAST_BETWEEN_FETCHES: Duration = Duration::from_secs(60);

/// How much of the answer of an endpoint the log of its delivery keeps, in bytes.
pub const LARGEST_ANSWER: usize = 1024;

/// The largest response of an upstream approver, in bytes: enough for a specification with every character escaped.
pub const LARGEST_UPSTREAM_ANSWER: usize = 1024 * 1024;

/// The most concurrent attempts to one destination in one process.
pub const DESTINATION_SHARE: usize = 4;

/// The most concurrent attempts of one project in one process, if there are several projects: half of the
/// slots of the local system.
pub const PROJECT_SHARE: usize = 8;

/// The memory that the items of a batch may take together in a worker, in bytes: half of the function.
pub const BATCH_MEMORY: usize = 128 * 1024 * 1024;
