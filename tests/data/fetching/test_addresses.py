from ipaddress import ip_address

import pytest

from seentwice.data.fetching.addresses import is_public, resolve_host


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_addresses_on_the_internet_are_public(address):
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",  # the metadata server of clouds
        "100.64.0.1",  # CGNAT
        "100.100.100.200",  # the metadata server of another cloud
        "192.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",  # NAT64 of 127.0.0.1
        "2002:7f00:1::",  # 6to4 of 127.0.0.1
        "2002:a00:1::1",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",  # Teredo of 127.0.0.1
        "2001:db8::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%lo",
        "fec0::1",
        "ff02::1",
    ],
)
def test_all_other_addresses_are_not(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0177.0.0.1", "0x7f.1", "127.1", "localhost"]
)
def test_every_way_to_write_loopback_is_resolved_to_it(host):
    addresses = resolve_host(host, 80)
    assert addresses
    assert all(address.is_loopback for address in addresses)


@pytest.mark.parametrize("host", ["", "a..b", "x" * 64 + ".org"])
def test_what_is_no_host_name_is_an_os_error(host):
    try:
        addresses = resolve_host(host, 80)
    except OSError:
        return
    assert not any(map(is_public, addresses))
