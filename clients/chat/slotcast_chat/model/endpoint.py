"""The endpoint of a model: `POST <base>/chat/completions`, as OpenAI and many others serve it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

URL_VARIABLE = "SLOTCAST_CHAT_MODEL_URL"
MODEL_VARIABLE = "SLOTCAST_CHAT_MODEL"
KEY_VARIABLE = "SLOTCAST_CHAT_MODEL_KEY"
ANSWER_SECONDS_MAX = 60.0
ANSWER_TOKENS_MAX = 1000
ANSWER_BYTES_MAX = 1 << 20
TRIES_MAX = 2
_WORTH_ANOTHER_TRY = frozenset({429, 500, 502, 503, 504})


class NoModel(Exception):
    """No model is set up, or it does not answer; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A message of the model, and how many tokens it took to make."""

    message: Mapping[str, Any]
    tokens: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model behind a URL."""

    http: httpx2.AsyncClient
    model: str

    async def complete(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]
    ) -> Completion:
        """Return what the model says next. NoModel: it said nothing that can be used."""
        asked = {
            "model": self.model,
            "messages": list(messages),
            "tools": list(tools),
            "max_tokens": ANSWER_TOKENS_MAX,
        }
        for left in reversed(range(TRIES_MAX)):
            try:
                response = await self.http.post("chat/completions", json=asked)
            except httpx2.HTTPError as error:
                if left:
                    continue
                raise NoModel(f"The model does not answer: {type(error).__name__}.") from error
            if response.status_code not in _WORTH_ANOTHER_TRY or not left:
                return _completion(response)
        raise AssertionError("The last try returns or raises.")


@asynccontextmanager
async def endpoint_from_environment() -> AsyncIterator[Endpoint]:
    """Open the endpoint that the environment names."""
    url, model = os.environ.get(URL_VARIABLE), os.environ.get(MODEL_VARIABLE)
    if not (url and model):
        raise NoModel(
            f"Set {URL_VARIABLE}, such as http://127.0.0.1:11434/v1, and {MODEL_VARIABLE}; and"
            f" {KEY_VARIABLE}, where the endpoint asks for a key."
        )
    async with open_endpoint(url, model, os.environ.get(KEY_VARIABLE, "")) as endpoint:
        yield endpoint


def has_model() -> bool:
    """Tell whether the environment names a model."""
    return bool(os.environ.get(URL_VARIABLE) and os.environ.get(MODEL_VARIABLE))


@asynccontextmanager
async def open_endpoint(url: str, model: str, key: str = "") -> AsyncIterator[Endpoint]:
    """Open an endpoint. The key is sent to that URL only: redirects are not followed."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    async with httpx2.AsyncClient(
        base_url=f"{url.rstrip('/')}/", headers=headers, timeout=ANSWER_SECONDS_MAX
    ) as http:
        yield Endpoint(http, model)


def _completion(response: httpx2.Response) -> Completion:
    if response.status_code != httpx2.codes.OK:
        raise NoModel(f"The model's endpoint answers {response.status_code}.")
    if len(response.content) > ANSWER_BYTES_MAX:
        raise NoModel("The model's answer is too long.")
    try:
        body = response.json()
        message = body["choices"][0]["message"]
        tokens = int((body.get("usage") or {}).get("total_tokens") or 0)
    except (ValueError, LookupError, TypeError) as error:
        raise NoModel("The model's answer is no chat completion.") from error
    if not isinstance(message, dict):
        raise NoModel("The model's answer is no chat completion.")
    return Completion(message, tokens)
