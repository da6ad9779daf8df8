"""Takes pushes and payments: Django with gidgethub and standardwebhooks, in one file."""

import json
import os
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from gidgethub import ValidationFailure
from gidgethub import sansio as github
from standardwebhooks import Webhook, WebhookVerificationError

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="not used", USE_TZ=True
    )
settings.ROOT_URLCONF = __name__

payments = Webhook(os.environ["PAYMENTS_SECRET"])
View = Callable[[HttpRequest], HttpResponse]


@csrf_exempt
@require_POST
def push(request: HttpRequest) -> HttpResponse:
    """Takes a push."""
    try:
        github.validate_event(
            request.body,
            signature=request.headers.get("X-Hub-Signature-256", ""),
            secret=os.environ["GITHUB_SECRET"],
        )
    except ValidationFailure as failure:
        return HttpResponse(str(failure), status=401)
    return JsonResponse({"ref": json.loads(request.body)["ref"]})


@csrf_exempt
@require_POST
def payment(request: HttpRequest) -> HttpResponse:
    """Takes a payment."""
    try:
        event: Any = payments.verify(request.body, dict(request.headers))
    except WebhookVerificationError as error:
        return HttpResponse(str(error), status=401)
    return JsonResponse(event)


urlpatterns = [path("push", push), path("payment", payment)]
