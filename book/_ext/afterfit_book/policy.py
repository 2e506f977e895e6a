"""What a page may load and run: its own files, and the scripts that the book was made with.

A Content-Security-Policy in each page. Scripts within a page are admitted by their hash, so that
nothing that gets into a page later runs, whatever a reader's table holds.
"""

import base64
import hashlib
import re
from html import unescape

SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", flags=re.DOTALL)
HANDLER = re.compile(r'\son[a-z]+="([^"]*)"')
TAG = re.compile(r"<[a-z][^>]*>")
HEAD = re.compile(r"<meta charset=[^>]*>")
POLICY = re.compile(r'\s*<meta http-equiv="Content-Security-Policy"[^>]*>')


def with_policy(html: str) -> str:
    """Return the page with its policy right behind its encoding: what stands above is free."""
    html = POLICY.sub("", html)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy(html)}" />'
    return HEAD.sub(lambda charset: f"{charset[0]}\n    {meta}", html, count=1)


def policy(html: str) -> str:
    scripts = [text for attributes, text in SCRIPT.findall(html) if is_run(attributes)]
    handlers = [unescape(code) for tag in TAG.findall(html) for code in HANDLER.findall(tag)]
    own = ["'unsafe-hashes'", *hashes(handlers)] if handlers else []
    return "; ".join(
        [
            "default-src 'none'",
            # What runs Python in the page compiles WebAssembly, and works beside it.
            " ".join(["script-src 'self' 'wasm-unsafe-eval'", *hashes(scripts), *own]),
            "worker-src 'self' blob:",
            "connect-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "form-action 'self'",
            "base-uri 'self'",
        ]
    )


def is_run(attributes: str) -> bool:
    """Return whether a script stands in the page, and is no data."""
    return "src=" not in attributes and "json" not in attributes


def hashes(codes: list[str]) -> list[str]:
    digests = [hashlib.sha256(code.encode()).digest() for code in dict.fromkeys(codes)]
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]
