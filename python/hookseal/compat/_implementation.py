"""What the drop-ins stand on: the core, or its twin where there is no binary.

A drop-in is to work wherever its original did, so it does not ask which of the two it may use;
but that it is the slow one is said once.
"""

from __future__ import annotations

TYPE_CHECKING = False

__all__ = ["StandardWebhook", "Svix1Webhook", "SvixWebhook", "is_signed"]

if TYPE_CHECKING:
    from hookseal._core import StandardWebhook, Svix1Webhook, SvixWebhook, is_signed
else:
    try:
        from hookseal._core import StandardWebhook, Svix1Webhook, SvixWebhook, is_signed
    except ModuleNotFoundError as error:
        if error.name != "hookseal._core":
            raise

        from warnings import warn

        from hookseal.pure._mirror import StandardWebhook, Svix1Webhook, SvixWebhook, is_signed

        warn(
            "hookseal.compat stands on hookseal.pure here, because this installation has no"
            " compiled module: it gives the same answers, and takes longer",
            RuntimeWarning,
            stacklevel=2,
        )
