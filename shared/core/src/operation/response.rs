use super::{Actor, Command, Notice, Operation, Verdict};
use crate::Digest;

/// The response of an approver, from any channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The verdict of the approver.
    pub verdict: Verdict,
    /// The comment or the answer; empty if there is none.
    pub comment: String,
    /// The name of the chosen option.
    pub option: Option<String>,
}

impl Response {
    /// The command that applies this response to `operation`. If the approver wrote no comment, the comment
    /// comes from the option. An approval ignores the option, because the options of a call are reasons for a
    /// denial.
    pub fn decide(
        &self,
        operation: &Operation,
        by: &Actor,
        seen: Option<Digest>,
        notify: Vec<Notice>,
    ) -> Command {
        let option = self.option.as_deref().filter(|_| self.verdict != Verdict::Approve);
        Command::Decide {
            verdict: self.verdict,
            comment: operation.comment_with(option, &self.comment),
            option: option.map(str::to_owned),
            by: by.clone(),
            seen,
            notify,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::humanlayer::sample::{DECIDED, after, created};
    use crate::operation::OperationKind;

    /// The comment and the option of a decision on a call whose option `later` has the prompt fill `try
    /// later`.
    fn decided(verdict: Verdict, comment: &str, option: Option<&str>) -> (String, Option<String>) {
        let options = json!([{"name": "later", "prompt_fill": "try later"}]);
        let spec = json!({"fn": "f", "reject_options": options});
        let call = created(OperationKind::FunctionCall, "c", &spec);
        let (comment, option) = (comment.to_owned(), option.map(str::to_owned));
        let response = Response { verdict, comment, option };
        let by = Actor::api("key-of-ana", "ana");
        let command = response.decide(&call, &by, Some(call.digest), Vec::new());
        let decision = after(&call, &command, DECIDED).body.decision.unwrap();
        assert_eq!((decision.verdict, decision.by), (verdict, by));
        (decision.comment, decision.option)
    }

    #[test]
    fn a_denial_keeps_its_option_and_the_comment_of_the_option() {
        let later = Some("later".to_owned());
        assert_eq!(
            decided(Verdict::Deny, "", Some("later")),
            ("try later".to_owned(), later.clone())
        );
        assert_eq!(decided(Verdict::Deny, "no", Some("later")), ("no".to_owned(), later));
        assert_eq!(decided(Verdict::Deny, "no", None), ("no".to_owned(), None));
    }

    /// The options of a call are reasons for a denial, so an approval ignores them.
    #[test]
    fn an_approval_ignores_the_option() {
        assert_eq!(decided(Verdict::Approve, "", Some("later")), (String::new(), None));
        assert_eq!(decided(Verdict::Approve, "fine", Some("later")), ("fine".to_owned(), None));
    }
}
