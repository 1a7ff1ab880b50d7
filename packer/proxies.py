"""The proxy that the environment names for a server, and connections by way of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from packer.registry.reference import is_loopback

if TYPE_CHECKING:
    import urllib3


def of_environment(host: str, *schemes: str) -> str:
    """The URL of the proxy for the first of `schemes` that has one, such as "https" and "all";
    empty for none. `host` may have a port.

    As in curl and Go there is none for the loopback, and `NO_PROXY` may have ranges of addresses.
    """
    if is_loopback(host) or not any(name.lower().endswith("_proxy") for name in os.environ):
        return ""
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    if proxy_bypass(host) or _is_in_range(host, proxies.get("no", "")):
        return ""
    proxy = next((proxies[each] for each in schemes if proxies.get(each)), "")
    return proxy if "://" in proxy or not proxy else f"http://{proxy}"


def pool(proxy: str, **options: Any) -> urllib3.PoolManager:
    """Connections by way of `proxy`, with the login that its URL has; without one where it is
    empty. `options` are urllib3's.

    Raises:
        urllib3.exceptions.LocationValueError: it is no URL of an HTTP proxy.
    """
    import urllib3

    if not proxy:
        return urllib3.PoolManager(**options)
    login = urllib3.util.parse_url(proxy).auth
    headers = urllib3.make_headers(proxy_basic_auth=unquote(login)) if login else None
    return urllib3.ProxyManager(proxy, proxy_headers=headers, **options)


def _is_in_range(host: str, listed: str) -> bool:
    """Whether an address is in one of the networks (CIDR) of a list with commas."""
    from ipaddress import ip_address, ip_network

    try:
        address = ip_address(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
    for each in listed.split(","):
        try:
            network = ip_network(each.strip(), strict=False)
        except ValueError:
            continue
        if address in network:
            return True
    return False
