"""Credentials that a program or a provider hands out, by way of the official client."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dispatcher.kubernetes.errors import ClusterNotConfigured


def run(exec_table: dict[str, Any], cluster: dict[str, Any], kubeconfig: Path) -> dict[str, Any]:
    """What a credential plugin says (client.authentication.k8s.io).

    Raises:
        ClusterNotConfigured: it failed, with its words.
    """
    from kubernetes.config.config_exception import ConfigException
    from kubernetes.config.exec_provider import ExecProvider
    from kubernetes.config.kube_config import ConfigNode

    command = str(exec_table.get("command", ""))
    path = str(kubeconfig)
    nodes = ConfigNode("exec", exec_table, path), ConfigNode("cluster", cluster, path)
    try:
        status = ExecProvider(nodes[0], str(kubeconfig.parent), nodes[1]).run()
    except (ConfigException, OSError) as error:
        raise ClusterNotConfigured(
            f"the credential plugin {command} failed", str(error), exec_table.get("installHint", "")
        ) from error
    if status.get("token"):
        return {"authorization": f"Bearer {status['token']}"}
    if status.get("clientCertificateData") and status.get("clientKeyData"):
        return {
            "certificate": status["clientCertificateData"].encode(),
            "key": status["clientKeyData"].encode(),
        }
    raise ClusterNotConfigured(f"the credential plugin {command} gave no credentials")


def provider(files: Sequence[Path], context: str) -> dict[str, Any]:
    """What a provider of the kubeconfig says (`auth-provider`).

    Raises:
        ClusterNotConfigured
    """
    from kubernetes.client import Configuration
    from kubernetes.config import load_kube_config
    from kubernetes.config.config_exception import ConfigException

    configuration = Configuration()
    try:
        load_kube_config(
            os.pathsep.join(map(str, files)), context, client_configuration=configuration
        )
    except ConfigException as error:
        raise ClusterNotConfigured("the kubeconfig's provider failed", str(error)) from error
    return {"authorization": configuration.api_key.get("BearerToken", "")}
