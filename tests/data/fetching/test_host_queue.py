from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seentwice.data.fetching.host_queue import HostQueue, origin_of

hosts = st.sampled_from("abcdef")


@given(st.lists(hosts), st.integers(1, 3), st.randoms(use_true_random=False))
def test_each_url_comes_once_and_few_of_one_host_at_once(names, per_host, random):
    urls = [f"http://{name}/{number}" for number, name in enumerate(names)]
    queue = HostQueue(urls, per_host)
    running: list[str] = []
    taken: list[str] = []
    while len(taken) < len(urls) or running:
        url = queue.take() if random.random() < 0.6 else None
        if url is not None:
            running.append(url)
            taken.append(url)
        elif running:
            queue.finish(running.pop(random.randrange(len(running))))
        at_host = Counter(origin_of(url)[1] for url in running)
        assert all(count <= per_host for count in at_host.values())
    assert sorted(taken) == sorted(urls)
    for name in set(names):
        assert [url for url in taken if url[7] == name] == [url for url in urls if url[7] == name]
    assert queue.take() is None


def test_hosts_take_turns():
    queue = HostQueue(["http://a/1", "http://a/2", "http://b/1", "http://c/1", "http://a/3"], 2)
    assert [queue.take() for _ in range(5)] == [
        *("http://a/1", "http://b/1", "http://c/1", "http://a/2"),
        None,
    ]
    queue.finish("http://b/1")
    assert queue.take() is None
    queue.finish("http://a/1")
    assert queue.take() == "http://a/3"


@pytest.mark.parametrize("url", ["http://[", "http://a:port/"])
def test_what_is_no_url_has_an_origin_too(url):
    assert origin_of(url) == ("", "", None)
    assert HostQueue([url], 1).take() == url
