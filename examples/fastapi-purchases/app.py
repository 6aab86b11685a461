"""Buys materials after a person approves: the `humanlayer` SDK requests approval, a signed webhook brings the decision.

The process keeps purchases in memory and loses them when it ends. The webhook holds everything that the application
needs, so the application also acts on a decision that comes after a restart.
"""

import os
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from humanlayer import AsyncHumanLayer, FunctionCall, FunctionCallSpec, HumanContact, HumanContactSpec, ResponseOption
from pydantic import BaseModel, PositiveInt
from standardwebhooks import Webhook, WebhookVerificationError

app = FastAPI(title="Purchases")
humanlayer = AsyncHumanLayer(agent_name="purchases")
webhook = Webhook(os.environ["PLACET_SECRET_APP"])

purchases: dict[str, FunctionCall] = {}
questions: dict[str, HumanContact] = {}
seen: set[str] = set()


class Purchase(BaseModel):
    material: str = "wood"
    quantity: PositiveInt = 10


# GET is for the walkthrough in a browser. Your own application should accept only POST.
@app.get("/purchase-materials")
@app.post("/purchase-materials")
async def purchase_materials(purchase: Purchase = Purchase()) -> dict[str, Any]:
    # The person sees the arguments and decides about them. The webhook returns our state with the decision.
    spec = FunctionCallSpec(fn="buy_materials", kwargs=purchase.model_dump(), state={"for": "workshop"})
    call = await humanlayer.create_function_call(spec)
    # If the webhook came first, keep its call: it has the decision.
    return show_purchase(purchases.setdefault(call.call_id, call))


@app.get("/purchases")
async def list_purchases() -> dict[str, Any]:
    return {"purchases": [show_purchase(call) for call in purchases.values()]}


@app.get("/ask")
@app.post("/ask")
async def ask() -> dict[str, Any]:
    woods = [ResponseOption(name=wood, title=wood.capitalize(), prompt_fill=wood) for wood in ("oak", "pine")]
    spec = HumanContactSpec(
        msg="Which wood shall the shelf be made of?", subject="Shelf", response_options=woods, state={"for": "shelf"}
    )
    contact = await humanlayer.create_human_contact(spec)
    return show_question(questions.setdefault(contact.call_id, contact))


@app.get("/questions")
async def list_questions() -> dict[str, Any]:
    return {"questions": [show_question(contact) for contact in questions.values()]}


@app.post("/webhook/inbound")
async def webhook_inbound(request: Request) -> dict[str, str]:
    body = await request.body()
    try:
        payload = webhook.verify(body, dict(request.headers))
    except (WebhookVerificationError, ValueError):  # ValueError: a header or the body cannot be read.
        raise HTTPException(401, "not signed with PLACET_SECRET_APP") from None
    if payload.get("is_test"):
        return {"status": "test"}
    # A repeated delivery has the same id, and the signature covers the id.
    if request.headers["webhook-id"] in seen:
        return {"status": "duplicate"}
    match completed(payload):
        case FunctionCall() as call:
            settle(call)
        case HumanContact() as contact:
            questions[contact.call_id] = contact
    seen.add(request.headers["webhook-id"])
    return {"status": "ok"}


def completed(payload: dict[str, Any]) -> FunctionCall | HumanContact | None:
    """Returns the decided call or the answered question. Format v1 sends it alone, v1beta2 in an envelope."""
    item = payload.get("event", payload)
    match item.get("spec"):
        case {"fn": _}:
            return FunctionCall.model_validate(item)
        case {"msg": _}:
            return HumanContact.model_validate(item)
    return None


def settle(call: FunctionCall) -> None:
    """Acts on a decision once. Ignores functions of other applications in the project."""
    known = purchases.get(call.call_id)
    if call.spec.fn != "buy_materials" or known and is_decided(known):
        return
    if call.status and call.status.approved:
        finalize_purchase(call.spec.kwargs["material"], call.spec.kwargs["quantity"])
    else:
        print(f"Purchase {call.call_id} dropped", flush=True)
    purchases[call.call_id] = call


def finalize_purchase(material: str, quantity: int) -> None:
    """Prints the purchase; a real application sends the order here."""
    print(f"Bought {quantity} of {material}", flush=True)


def is_decided(call: FunctionCall) -> bool:
    return call.status is not None and call.status.approved is not None


def show_purchase(call: FunctionCall) -> dict[str, Any]:
    approved, comment = (call.status.approved, call.status.comment) if call.status else (None, None)
    stands = {None: "pending", True: "finalized", False: "denied"}[approved]
    return {"call_id": call.call_id, **call.spec.kwargs, "status": stands, "comment": comment, "state": call.spec.state}


def show_question(contact: HumanContact) -> dict[str, Any]:
    answer = contact.status.response if contact.status else None
    return {"call_id": contact.call_id, "question": contact.spec.msg, "answer": answer, "state": contact.spec.state}
