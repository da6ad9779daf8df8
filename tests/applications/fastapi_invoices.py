"""Takes notices of paid invoices: FastAPI and standardwebhooks."""

import os
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

application = FastAPI()
paid: dict[str, int] = {}


async def event(request: Request) -> Any:
    """The event of a request that the provider signed."""
    webhook = Webhook(os.environ["INVOICES_SECRET"])
    try:
        return webhook.verify(await request.body(), dict(request.headers))
    except WebhookVerificationError as error:
        raise HTTPException(401, str(error)) from error
    except ValueError as error:
        raise HTTPException(400, "not JSON") from error


@application.post("/invoices")
async def receive(event: Annotated[Any, Depends(event)]) -> dict[str, int]:
    """Books a paid invoice."""
    if event["type"] == "invoice.paid":
        paid[event["data"]["id"]] = event["data"]["amount"]
    return paid
