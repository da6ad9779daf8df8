"""Takes orders: Flask and svix."""

import json
import os

from flask import Flask, Response, jsonify, request
from svix.webhooks import Webhook, WebhookVerificationError

application = Flask("orders")
orders: list[str] = []


@application.errorhandler(WebhookVerificationError)
def refused(error: WebhookVerificationError) -> tuple[Response, int]:
    """Answers what nobody signed."""
    return jsonify(error=str(error)), 400


@application.post("/orders")
def receive() -> Response:
    """Keeps an order."""
    payload = request.get_data()
    Webhook(os.environ["ORDERS_SECRET"]).verify(payload, dict(request.headers))
    orders.append(json.loads(payload)["data"]["id"])
    return jsonify(orders=orders)
