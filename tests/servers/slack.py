#!/usr/bin/env python3
"""slack - a stand-in for Slack's incoming webhooks, with its limits and its error words.

    slack.py [--port N] [--hook T000/B000/xyz] [--rate N]

POST to /services/T000/B000/xyz answers `ok` as text/html.  Settings: hook, the one that works; rate, messages
a second above which the answer is 429 with Retry-After: 1 (0, unless told: no bound).
An entry of /log has the request's body as it came; jq's fromjson opens it.
"""
import json
import math
import re
import time
import urllib.parse

from standin import Refusal, Reply, StandIn, options, serve

BLOCKS = {"header", "section", "context", "divider", "rich_text", "actions", "image", "markdown"}


def word(status, text, **headers):
    return Reply(status, text, "text/html", headers)


def refuse(status, text):
    raise Refusal(word(status, text))


def check_text(item, limit, kinds=("mrkdwn", "plain_text")):
    """A text object: {"type": ..., "text": ...} of at most `limit` characters."""
    if (not isinstance(item, dict) or item.get("type") not in kinds or not isinstance(item.get("text"), str)
            or not 0 < len(item["text"]) <= limit):
        refuse(400, "invalid_blocks")


def check_block(block):
    if not isinstance(block, dict) or block.get("type") not in BLOCKS:
        refuse(400, "invalid_blocks")
    if block["type"] == "header":
        check_text(block.get("text"), 150, ("plain_text",))
    if block["type"] == "section":
        fields = block.get("fields", [])
        if not isinstance(fields, list) or len(fields) > 10 or not ("text" in block or fields):
            refuse(400, "invalid_blocks")
        if "text" in block:
            check_text(block["text"], 3000)
        for field in fields:
            check_text(field, 2000)
    if block["type"] == "context":
        elements = block.get("elements")
        if not isinstance(elements, list) or not 1 <= len(elements) <= 10:
            refuse(400, "invalid_blocks")
        for element in elements:
            if not isinstance(element, dict) or element.get("type") != "image":
                check_text(element, 3000)


def check_message(message):
    """Section 2's limits, with section 4's words."""
    if not isinstance(message, dict):
        refuse(400, "invalid_payload")
    text, blocks, attachments = message.get("text"), message.get("blocks"), message.get("attachments")
    if text is not None and not isinstance(text, str):
        refuse(400, "invalid_payload")
    if blocks is not None:
        if not isinstance(blocks, list):
            refuse(400, "invalid_blocks_format")
        if len(blocks) > 50:
            refuse(400, "invalid_blocks")
        for block in blocks:
            check_block(block)
    if attachments is not None:
        if not isinstance(attachments, list) or not all(isinstance(a, dict) for a in attachments):
            refuse(400, "invalid_attachments")
        if len(attachments) > 100:
            refuse(400, "too_many_attachments")
        if attachments and not any(a.get("text") or a.get("fallback") or a.get("blocks") for a in attachments):
            refuse(400, "missing_text_or_fallback_or_attachments")
    if not (text and text.strip()) and not blocks and not attachments:
        refuse(400, "no_text")


class Slack(StandIn):
    settings = {"hook": "T000/B000/xyz", "rate": 0}

    def __init__(self):
        super().__init__()
        self.posted = []            # times of the last second's messages

    def answer(self, request):
        found = re.fullmatch(r"/services/([^/]+)/([^/]+)/([^/]+)", request.path)
        if not found:
            return word(404, "no_service")
        if request.method != "POST":
            return word(405, "")
        for part, known, refusal in zip(found.groups(), self.set["hook"].split("/"),
                                        ((404, "no_team"), (404, "no_service"), (403, "invalid_token"))):
            if part != known:
                return word(*refusal)
        check_message(self.payload(request))
        return self.throttle() or word(200, "ok")

    def payload(self, request):
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            text = request.body.decode("utf-8")
            if kind == "application/x-www-form-urlencoded":
                text = urllib.parse.parse_qs(text, strict_parsing=True)["payload"][0]
            elif kind != "application/json":
                refuse(400, "invalid_payload")
            return json.loads(text)
        except (ValueError, KeyError):
            return refuse(400, "invalid_payload")

    def throttle(self):
        if not self.set["rate"]:
            return None
        with self.lock:
            now = time.monotonic()
            self.posted = [t for t in self.posted if t > now - 1]
            if len(self.posted) >= self.set["rate"]:
                wait = max(1, math.ceil(self.posted[0] + 1 - now))
                return word(429, "rate_limited", **{"Retry-After": str(wait)})
            self.posted.append(now)
        return None

    def failure(self, status):
        words = {400: "invalid_payload", 403: "invalid_token", 404: "no_service", 410: "channel_is_archived",
                 429: "rate_limited", 500: "rollup_error"}
        return word(status, words.get(status, ""))


if __name__ == "__main__":
    serve(Slack(), options(Slack, description=__doc__.partition("\n")[0]).parse_args())
