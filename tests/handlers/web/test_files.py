"""Files through the HTTP APIs and the page: in as parts of a request, out as downloads."""

import base64
import json
from typing import Any

import httpx
import openai as sdk
import pytest
from openai import AsyncOpenAI

from bot.model.file import Attached, FileRef, StoredFile
from bot.model.message import Reply
from bot.model.run import RunKind
from tests.fakes import files
from tests.fakes.answering_inbox import Answer
from tests.handlers.web.conftest import Site

URL = "/v1/chat/completions"
PNG = files.png(4, 3)


def data(content: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


def image(content: bytes = PNG) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": data(content, "image/png")}}


def file(content: bytes = b"a,b\n1,2\n", name: str = "t.csv", mime: str = "text/csv") -> Any:
    return {"type": "file", "file": {"filename": name, "file_data": data(content, mime)}}


def ask(*parts: object, before: object = None) -> dict[str, Any]:
    said = [{"role": "user", "content": before}, {"role": "assistant", "content": "I see."}]
    last = {"role": "user", "content": list(parts)}
    return {"model": "ratchet", "messages": [*(said if before else ()), last]}


async def fetched(site: Site, ref: FileRef) -> bytes:
    assert site.web is not None
    return await site.web.fetch("local", ref, 1_000)


async def test_the_official_client_sends_an_image_and_a_file(
    site: Site, openai: AsyncOpenAI
) -> None:
    messages: Any = ask({"type": "text", "text": "What is this?"}, image(), file())["messages"]
    answer = await openai.chat.completions.create(model="ratchet", messages=messages)
    assert answer.choices[0].message.content == "You said: What is this?"
    message = site.inbox.messages[0]
    assert [(f.name, f.mime, f.size) for f in message.files] == [
        ("image.png", "image/png", len(PNG)),
        ("t.csv", "text/csv", 8),
    ]
    assert [await fetched(site, f) for f in message.files] == [PNG, b"a,b\n1,2\n"]


async def test_a_client_that_sends_the_whole_conversation_sends_its_files_too(
    site: Site, http: httpx.AsyncClient
) -> None:
    body = ask({"type": "text", "text": "And now?"}, before=[image()])
    assert (await http.post(URL, json=body)).status_code == 200
    message = site.inbox.messages[0]
    assert message.history == (("user", "[sent a file]"), ("assistant", "I see."))
    assert [f.name for f in message.files] == ["image.png"] and message.text == "And now?"
    many = ask({"type": "text", "text": "x"}, *[file(name=f"{n}.csv") for n in range(8)])
    await http.post(URL, json=many)
    assert [f.name for f in site.inbox.messages[1].files] == [f"{n}.csv" for n in range(3, 8)]


async def test_a_file_alone_is_a_request(site: Site, http: httpx.AsyncClient) -> None:
    assert (await http.post(URL, json=ask(file(), before="hi"))).status_code == 200
    assert site.inbox.messages[0].text == "" and len(site.inbox.messages[0].files) == 1


_NONSENSE = [
    ({"type": "image_url", "image_url": {"url": "http://127.0.0.1:1/x.png"}}, "invalid_image_url"),
    ({"type": "image_url", "image_url": {"url": "https://x.example/x.png"}}, "invalid_image_url"),
    ({"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}, "invalid_image_url"),
    ({"type": "image_url", "image_url": {"url": "data:image/png,raw"}}, "invalid_data_url"),
    ({"type": "image_url", "image_url": {"url": "data:image/png;base64,?"}}, "invalid_base64"),
    ({"type": "image_url", "image_url": 7}, "wrong_type"),
    (image(b"not an image"), "invalid_image"),
    (file(b"x" * 1001), "file_too_large"),
    ({"type": "file", "file": {"file_id": "file-1"}}, "unsupported"),
    ({"type": "file", "file": {"filename": "x"}}, "wrong_type"),
    ({"type": "file"}, "wrong_type"),
    ({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}, "unsupported"),
]


@pytest.mark.parametrize(("part", "code"), _NONSENSE)
async def test_parts_that_can_t_be_taken_are_refused(
    site: Site, http: httpx.AsyncClient, part: object, code: str
) -> None:
    response = await http.post(URL, json=ask({"type": "text", "text": "x"}, part))
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, code)
    assert error["message"].startswith("messages[0].content[1]") and not site.inbox.messages


async def test_a_model_that_takes_no_images_says_so_at_once(
    site: Site, openai: AsyncOpenAI
) -> None:
    assert site.web is not None
    site.model = "blind"
    await site.web.stop()
    site.web = site.channel()
    await site.web.start()
    async with AsyncOpenAI(base_url=f"{site.url}/v1", api_key="sk-ratchet-test") as client:
        messages: Any = ask({"type": "text", "text": "x"}, image())["messages"]
        with pytest.raises(sdk.BadRequestError) as raised:
            await client.chat.completions.create(model="ratchet", messages=messages)
        assert "takes no images" in str(raised.value) and not site.inbox.messages
        messages = ask({"type": "text", "text": "x"}, file())["messages"]
        answer = await client.chat.completions.create(model="ratchet", messages=messages)
        assert answer.choices[0].message.content == "You said: x"


async def test_a_body_is_large_only_where_files_are_in_it(
    site: Site, http: httpx.AsyncClient
) -> None:
    large = {"type": "text", "text": "x" * 2_200_000}
    assert (await http.post(URL, json=ask(large))).status_code == 413
    padding = file(b"x" * 1000)
    padding["file"]["padding"] = "x" * 2_050_000
    assert (await http.post(URL, json=ask(padding))).status_code == 200
    padding["file"]["padding"] = "x" * 2_200_000
    assert (await http.post(URL, json=ask(padding))).status_code == 413


async def test_the_same_key_with_another_file_is_another_request(
    site: Site, http: httpx.AsyncClient
) -> None:
    headers = {"idempotency-key": "k1"}
    bodies = [ask({"type": "text", "text": "x"}, file(c)) for c in (b"1", b"1", b"2")]
    codes = [(await http.post(URL, json=b, headers=headers)).status_code for b in bodies]
    assert codes == [200, 200, 422]


async def test_the_runs_api_takes_files_by_name(site: Site, http: httpx.AsyncClient) -> None:
    plain = base64.b64encode(b"hello").decode()
    body = {"message": "Read", "files": [{"name": "../a\u202e.txt", "data": plain}]}
    assert (await http.post("/v1/runs", json=body)).status_code == 202
    [ref] = site.inbox.messages[0].files
    assert (ref.name, await fetched(site, ref)) == ("a .txt", b"hello")
    for files_ in ("x", [1], [{"name": "a"}], [{"name": 1, "data": plain}], [{"data": "?"}]):
        response = await http.post("/v1/runs", json={"message": "Read", "files": files_})
        assert response.status_code == 400, files_


async def made(site: Site, content: bytes = b"<script>1</script>", **more: str) -> StoredFile:
    stored = StoredFile(
        more.get("id", "r1-abc"),
        more.get("workspace", "local"),
        more.get("run_id", "r1"),
        more.get("name", 'r\u00e9sum\u00e9 "1".csv'),
        more.get("mime", "text/html"),
        content,
        "out",
        1,
    )
    await site.files.put(stored)
    return stored


async def test_a_file_is_only_ever_saved_never_shown(site: Site, http: httpx.AsyncClient) -> None:
    stored = await made(site)
    response = await http.get(f"/v1/files/{stored.id}/content")
    assert response.content == stored.content
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in response.headers["content-security-policy"]
    assert response.headers["content-disposition"] == (
        "attachment; filename=\"r_sum_ _1_.csv\"; filename*=UTF-8''r%C3%A9sum%C3%A9%20%221%22.csv"
    )
    about = (await http.get(f"/v1/files/{stored.id}")).json()
    assert (about["size"], about["run_id"], about["mime"]) == (18, "r1", "text/html")


async def test_files_are_for_who_has_the_key_and_of_this_workspace(
    site: Site, http: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    await made(site)
    await made(site, id="r2-abc", workspace="other")
    assert (await browser.get("/v1/files/r1-abc/content")).status_code == 401
    for id in ("r2-abc", "r3-abc", "..%2F..%2Fetc", "x" * 200):
        assert (await http.get(f"/v1/files/{id}/content")).status_code == 404


async def test_an_answers_files_are_named_with_it(site: Site, http: httpx.AsyncClient) -> None:
    reply = Reply("Here.", files=(Attached("r1-abc", "t.csv", "text/csv", 8),))
    site.inbox.script["make"] = Answer("Here.", reply=reply)
    answer = (await http.post(URL, json=ask({"type": "text", "text": "make"}))).json()
    said = answer["choices"][0]["message"]["content"]
    assert said == "Here.\n\nFile: [t.csv](/v1/files/r1-abc/content)"
    [run] = (await http.get("/v1/runs?limit=1")).json()["data"]
    assert run["files"] == [
        {
            "id": "r1-abc",
            "name": "t.csv",
            "mime": "text/csv",
            "size": 8,
            "path": "/v1/files/r1-abc/content",
        }
    ]


async def test_the_page_links_a_file_for_its_own_chat_alone(
    site: Site, browser: httpx.AsyncClient
) -> None:
    page = (await browser.get("/")).text
    token = page.split('name="token" value="')[1].split('"')[0]
    reply = Reply("Here.", files=(Attached("mine-abc", "t<b>.csv", "text/csv", 8),))
    site.inbox.script["make"] = Answer("Here.", reply=reply)
    await browser.post("/chat/say", data={"token": token, "id": "said-0001", "text": "make"})
    [run] = await site.runs.recent("local", kinds=[RunKind.REQUEST.value])
    await site.inbox.wait("local", run.id, 5)
    page = (await browser.get("/")).text
    assert '<a href="/chat/files/mine-abc" download="t&lt;b&gt;.csv">' in page
    await made(site, id="mine-abc", run_id=run.id, mime="text/csv")
    got = await browser.get("/chat/files/mine-abc")
    assert got.headers["content-disposition"].startswith("attachment")
    assert got.headers["content-type"] == "text/csv; charset=utf-8"
    async with httpx.AsyncClient(base_url=site.url) as stranger:
        await stranger.get("/")
        assert (await stranger.get("/chat/files/mine-abc")).status_code == 404
    assert json.loads((await browser.get("/v1/files/mine-abc")).text)["error"]
