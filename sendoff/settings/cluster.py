"""The settings that only clusters have."""

from __future__ import annotations

from sendoff.settings import addresses, values
from sendoff.settings.setting import Setting

ON_CLUSTERS: tuple[Setting, ...] = (
    Setting(
        key="context",
        read=values.text,
        default=lambda _: "",
        help="context of the kubeconfig; empty: the current one",
    ),
    Setting(
        key="namespace",
        read=values.text,
        default=lambda _: "",
        help="namespace of the cluster; empty: the context's",
    ),
    Setting(key="queue", read=values.text, default=lambda _: "", help="Kueue queue; empty: none"),
    Setting(key="priority", read=values.text, default=lambda _: "", help="priority class of pods"),
    Setting(
        key="pull-secret",
        read=values.text,
        default=lambda _: "",
        help="Secret with which nodes pull images; empty: none is needed",
    ),
    Setting(
        key="spot",
        read=values.switch,
        default=lambda _: False,
        help="whether nodes that may be taken away will do",
    ),
    Setting(
        key="per-pod",
        read=values.count,
        default=lambda _: 0,
        help="inputs that one pod works through, one after another; 0: one",
    ),
    Setting(
        key="pending-timeout",
        read=values.duration,
        default=lambda _: 900.0,
        help="time that a pod may wait for a reason other than a busy cluster; 0: for ever",
    ),
    Setting(
        key="queue-timeout",
        read=values.duration,
        default=lambda _: 0.0,
        help="time that a pod may wait for its turn on a busy cluster; 0: for ever",
    ),
    Setting(
        key="longest",
        read=values.lifetime,
        default=lambda _: 14 * 86_400.0,
        help="time after which a Job is ended, whatever it waits for or does; a minute at least",
    ),
    Setting(
        key="keep",
        read=values.duration,
        default=lambda _: 3600.0,
        help="time after which the cluster forgets a Job that has ended",
    ),
    Setting(
        key="store-in-cluster",
        read=addresses.url,
        default=lambda _: "",
        help="the store's URL as pods reach it; empty: the same",
    ),
    Setting(
        key="registry-in-cluster",
        read=addresses.repository,
        default=lambda _: "",
        help="the repository that nodes pull images from; empty: the same",
    ),
    Setting(
        key="secrets-from",
        read=values.text,
        default=lambda _: "sendoff",
        help="the Kubernetes Secret whose keys are the names that --secret takes",
    ),
    Setting(
        key="secret-keys",
        read=values.secret_keys,
        default=lambda _: {},
        help="secrets that are elsewhere: NAME=SECRET/KEY",
    ),
    Setting(
        key="node-selector",
        read=values.table,
        default=lambda _: {},
        help="labels of the nodes that runs may go to",
    ),
    Setting(
        key="tolerations",
        read=values.tolerations,
        default=lambda _: (),
        help="taints that runs put up with, as kubectl writes them: KEY[=VALUE][:EFFECT]",
    ),
    Setting(
        key="labels",
        read=values.table,
        default=lambda _: {},
        help="further labels of Jobs and pods, such as a cost centre",
    ),
    Setting(
        key="runtime-class",
        read=values.text,
        default=lambda _: "",
        help="runtime class of pods with a GPU; empty: the nodes' default",
    ),
    Setting(
        key="user",
        read=values.count,
        default=lambda _: 65_532,
        help="numeric user and group that commands run as",
    ),
    Setting(
        key="scratch",
        read=values.scratch,
        default=lambda _: 50 << 30,
        help="most that a pod may write: working directories, results, inputs, caches",
    ),
    Setting(
        key="scalable",
        read=values.texts,
        default=lambda _: (),
        help="GPU classes whose nodes an autoscaler makes, so that there may be none now",
    ),
    Setting(
        key="classes",
        read=values.classes,
        default=lambda _: {},
        help="GPU classes of the site: a table for each name",
    ),
)
