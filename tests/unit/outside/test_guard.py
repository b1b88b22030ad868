from ipaddress import ip_address

import pytest

from tieup.errors import SettingsError
from tieup.outside.guard import read_hosts, refusal

REFUSED = [
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200", "0.0.0.0"),
    *("224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.0.192", "168.63.129.16", "198.18.0.1", "203.0.113.9"),
    *("::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1"),
    *("2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:7f00:1::"),
]


@pytest.mark.parametrize("address", REFUSED)
def test_what_is_not_of_the_public_internet_is_refused(address: str) -> None:
    assert refusal(ip_address(address)) is not None


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "193.99.144.80", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_addresses_are_asked(address: str) -> None:
    assert refusal(ip_address(address)) is None


def test_fixed_hosts_are_address_and_port() -> None:
    assert read_hosts({"News.Example": "127.0.0.1:80", "b": "[::1]:81"}) == {
        "news.example": ("127.0.0.1", 80),
        "b": ("::1", 81),
    }


@pytest.mark.parametrize("target", ["127.0.0.1", "localhost:80", "127.0.0.1:http", ""])
def test_a_fixed_host_that_is_none_is_named(target: str) -> None:
    with pytest.raises(SettingsError, match=r"feeds\.hosts: a"):
        read_hosts({"a": target})
