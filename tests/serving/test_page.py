import json
import re
import shutil
import subprocess
from html import unescape
from html.parser import HTMLParser

import httpx
import pyarrow as pa
import pytest

from groundswell.serving import Predictor, Service
from groundswell.types import TIMESTAMP, Field, Schema


class _Reader(HTMLParser):
    """Collects the tags and the text, as a browser would see them."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.words, self.attributes = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.words.append(data)


def curl_of(html):
    return unescape(re.search("<pre><code>(.*?)</code></pre>", html, re.S)[1])


def test_shows_models_inputs_and_health(service_of, binary, multiclass):
    html = httpx.get(service_of(binary, multiclass).start()).text
    shown = _Reader(html)
    text = " ".join(shown.words)
    for words in ("late_arrival, version 1", "punctuality, version 7", "origin", "distance", "FP64", "ready"):
        assert words in text
    assert not {"script", "link", "img", "iframe", "form"} & set(shown.tags)
    assert all(not value.startswith("http") for name, value in shown.attributes if name in ("href", "src"))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("token", [None, "a-token-of-some-length"])
def test_the_curl_line_works(service_of, binary, token):
    service = service_of(binary, token=token)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    line = curl_of(httpx.get(service.start(), headers=headers).text)
    done = subprocess.run(
        line, shell=True, capture_output=True, text=True, env={"TOKEN": str(token)}, timeout=20, check=True
    )
    assert [output["name"] for output in json.loads(done.stdout)["outputs"]] == [
        "prediction",
        "probability",
        "prediction_id",
    ]


HOSTILE = """</code><script>alert('x')</script>"&{{7*7}}${x}`id`'; rm"""


def test_hostile_names_are_shown_as_they_are(world, groups, binary):
    kinds = [pa.bool_(), pa.int8(), TIMESTAMP, pa.date32(), pa.decimal128(5, 2), pa.binary(), pa.list_(pa.float32())]
    fields = [Field(HOSTILE, pa.string()), *(Field(f"c{i}", kind) for i, kind in enumerate(kinds))]
    view = world.view(Schema((*world.view().request_schema, *fields)))
    service = Service([Predictor(binary, view, clock=lambda: world.noon)], groups)
    with service:
        url = service.start()
        html = httpx.get(url).text
        shown = _Reader(html)
        assert HOSTILE in shown.words
        assert "script" not in shown.tags
        # Every example value is one that the codec takes, and the line is one command for the shell.
        reply = subprocess.run(curl_of(html), shell=True, capture_output=True, text=True, timeout=20, check=True)
        assert "outputs" in json.loads(reply.stdout), reply.stdout


def test_the_host_header_is_no_way_in(service_of, binary):
    url = service_of(binary, token="a-token-of-some-length").start()
    headers = {"authorization": "Bearer a-token-of-some-length", "host": 'x"><script>alert(1)</script>'}
    shown = _Reader(httpx.get(url, headers=headers).text)
    assert "script" not in shown.tags
