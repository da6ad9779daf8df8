"""``hookseal migrate``: verifiers that are replaced by one import, and checks written by hand.

::

    paths ─── files, without what is not the user's own      _files
    file ──── text, syntax tree, edits that keep the rest    _source
    imports ─ edits where they are certain                   _imports _mirrors _names
    checks ── what they could be instead                     _checks _advice
    what was found: a diff and suggestions, or the files     _command _report _found
"""
