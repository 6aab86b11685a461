//! The notifications of operations, and the page of one delivery, which a person can send again.

use lambda_http::http::{Method, StatusCode};
use placet_core::delivery::{Command, Delivery, MailTo};
use placet_core::item::Item;
use placet_core::operation::{self, Event, Operation, State};
use placet_runtime::Notification;

use placet_runtime::http::Request;

use crate::Inbox;
use crate::fields::Fields;
use crate::pages::{self, Notified, Recipient};
use crate::reply::Page;
use crate::subject::unavailable;
use crate::visitor::Visitor;

impl Inbox {
    /// The page of a delivery, for a visitor who operates Placet. A POST sends the delivery again.
    pub(crate) async fn delivery(
        &self,
        project: &str,
        id: &str,
        visitor: &Visitor,
        request: &Request,
    ) -> Result<Page, Page> {
        if !visitor.operates() {
            return Err(Page::not_found());
        }
        let store = &self.runtime.engine.store;
        let stored = store.item::<Delivery>(project, id, true).await.map_err(unavailable)?;
        let delivery = stored.ok_or_else(Page::not_found)?;
        if request.method() != Method::POST {
            return Ok(self.delivery_page(&delivery, None, visitor));
        }
        let fields = Fields::read(request.body().as_ref()).ok_or_else(Page::bad_form)?;
        visitor.check_form(&fields, self.keys.as_ref())?;
        if delivery.mail.is_none()
            && let Some(reason) = self.closed_endpoint(project, &delivery.endpoint).await?
        {
            return Ok(self
                .delivery_page(&delivery, Some(&reason), visitor)
                .with_status(StatusCode::CONFLICT));
        }
        match self.runtime.engine.change(delivery, |_| Command::Redeliver).await {
            Ok(delivery) => {
                tracing::info!(project, delivery_id = id, "redelivery requested");
                Ok(Page::see_other(
                    self.projects(project, visitor.viewer()).delivery(&delivery.header.id),
                ))
            }
            Err(error) => {
                tracing::error!(project, delivery_id = id, %error, "redelivery not stored");
                Err(Page::not_sent_again())
            }
        }
    }

    fn delivery_page(
        &self,
        delivery: &Item<Delivery>,
        message: Option<&str>,
        visitor: &Visitor,
    ) -> Page {
        let projects = self.projects(delivery.project(), visitor.viewer());
        let now = self.runtime.engine.now();
        Page::ok(pages::delivery(delivery, &projects, message, now))
    }

    /// Why an endpoint gets nothing, if it gets nothing.
    async fn closed_endpoint(&self, project: &str, name: &str) -> Result<Option<String>, Page> {
        if self.runtime.config.endpoint(project, name).is_none() {
            let gone =
                format!("Not sent: placet.yaml no longer has the endpoint {name} in this project.");
            return Ok(Some(gone));
        }
        let state = self.runtime.engine.store.endpoint(project, name).await.map_err(unavailable)?;
        Ok(state.disabled.map(|disabled| {
            format!(
                "Not sent: the endpoint {name} is disabled: {}. Enable it first.",
                disabled.reason
            )
        }))
    }

    /// Who is notified, as a page names them.
    fn recipient(&self, to: &operation::Notified) -> Recipient {
        match to {
            operation::Notified::Endpoint { name, .. } => Recipient::Endpoint(name.clone()),
            operation::Notified::Mail(MailTo::Address(address)) => {
                Recipient::Person(address.clone())
            }
            operation::Notified::Mail(MailTo::Person(id)) => {
                let person = self.runtime.config.people.get(id);
                Recipient::Person(person.map_or(id, |person| &person.name).clone())
            }
        }
    }

    /// The notifications of an operation so far.
    pub(crate) async fn notified(
        &self,
        operation: &Item<Operation>,
        visitor: &Visitor,
    ) -> Result<Vec<Notified>, Page> {
        let mut notified = Vec::new();
        let pending = operation.state_at(self.runtime.engine.now()) == State::Pending;
        for Notification { notice, delivery_id, .. } in self.runtime.notifications(operation) {
            let is_decision = notice.event == Event::Completed;
            if is_decision && pending {
                continue;
            }
            let awaited = operation.header.children.iter().any(|child| child.id == delivery_id);
            let store = &self.runtime.engine.store;
            let delivery = store.item(operation.project(), &delivery_id, true).await;
            let delivery = delivery.map_err(unavailable)?;
            if awaited || delivery.is_some() || is_decision {
                let to = self.recipient(&notice.to);
                notified.push(Notified {
                    to,
                    event: notice.event,
                    awaited,
                    linked: visitor.operates(),
                    delivery,
                });
            }
        }
        Ok(notified)
    }
}
