"""Which hosts and which addresses may be fetched from. Pure."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

_NAT64 = IPv6Network("64:ff9b::/96")
# Not for the public internet, but global in the eyes of older tables; and Azure's wire server,
# public by its number, that answers only from inside, with the machine's own secrets.
_REFUSED = tuple(
    ip_network(n)
    for n in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "168.63.129.16/32",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)
_PORTS = {"http": 80, "https": 443}


def public(address: str) -> bool:
    """Whether a resolved address belongs to the internet at large; what carries an IPv4 address
    inside is judged by that."""
    try:
        ip = _carried(ip_address(address))
    except ValueError:
        return False
    special = ip.is_multicast or ip.is_reserved or ip.is_unspecified or not ip.is_global
    return not special and not any(ip in network for network in _REFUSED)


def _carried(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped:
            return ip.ipv4_mapped
        if ip in _NAT64:
            return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def host_allowed(allow: Sequence[str], scheme: str, host: str, port: int | None) -> bool:
    """An entry is a host (any of its standard ports), host:port, or *.domain for what is below."""
    host = host.lower().rstrip(".")
    standard = _PORTS.get(scheme)
    at = port or standard
    for entry in (e.lower().rstrip(".") for e in allow):
        name, wanted = entry, str(standard)
        if entry.count(":") == 1:
            name, _, wanted = entry.partition(":")
        below = name.startswith("*.") and host.endswith(name[1:])
        if wanted == str(at) and (name == host or below):
            return True
    return False
