"""Drop-in replacements for the verifiers that people run today: change one import.

============================  ====================================================
``standardwebhooks``          ``hookseal.compat.standardwebhooks``
``svix`` 2.x                  ``hookseal.compat.svix``
``svix`` 1.x                  ``hookseal.compat.svix1``
``gidgethub.sansio``          ``hookseal.compat.github``
Uplift's ``verify_signature`` ``hookseal.compat.uplift``
Zoho's ``verify_signature``   ``hookseal.compat.zoho``
============================  ====================================================

Names, arguments, defaults, return values, exceptions and their messages are those of the
original. One strict reading stands behind all of them, so a few things differ; docs/compat.md
lists every one. Nothing here imports the originals.
"""
