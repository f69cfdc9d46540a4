"""The arguments of events, as `evt.arg` and `evt.rawarg` name them: their types and what Falco compares them with.

The names and types are facts of libs 0.25.4. Falco takes the type of an argument from the first event that has it.
"""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING, Final

from lanner.rules.language.catalog import PLAIN, FieldError, Traits
from lanner.sdk.types import FieldInfo, FieldType

if TYPE_CHECKING:
    from collections.abc import Callable

_NUMBERS: Final = """
    action arg arg2_int argument aux backlog cap_effective cap_inheritable cap_permitted clockid cmd core cpu cpu_sys cpu_usr
    cq_entries creat_flags cur dev dirfd domain dpid dqb_bhardlimit dqb_bsoftlimit dqb_btime dqb_curspace dqb_ihardlimit
    dqb_isoftlimit dqb_itime dqi_bgrace dqi_flags dqi_igrace entries error event_data event_type exe_ino exe_ino_ctime
    exe_ino_mtime exe_ino_num fd fd1 fd2 fd_in fd_out fd_type fdin fdlimit fdout features first flags gid how id in_fd initval ino
    ino_num interval key last len length level linkdirfd mask max maxevents min_complete mnt_id mode mountfd nativeID newcur
    newdir newdirfd newfd newmax next nr_args nsems nsops nstype offin offout offset oldcur olddir olddirfd oldfd oldmax ip op
    opcode operation option optlen optname out_fd peer pgft_maj pgft_min pgid pgoffset pid pid_fd pidns_init_start_ts plugin_id
    pos prot proto ptid queuelen queuemax queuepct quota_fmt quota_fmt_out ratio reaper_tid request res resolve resource ret
    sem_flg_0 sem_flg_1 sem_num_0 sem_num_1 sem_op_0 sem_op_1 semflg semid semnum size sk_pointer sk_proto sk_type source spid
    sq_entries sq_thread_cpu sq_thread_idle start_time status target_fd tid timeout to_submit tty type uid vm_rss vm_size vm_swap
    vpgid vpid vtid whence
"""
_TEXTS: Final = """
    exe cwd target special quotafilepath comm image json desc description scope home shell container_id value_charbuf arg2_str
    uargs
"""
_PATHS: Final = "name path oldpath newpath linkpath dir filename trusted_exepath pathname exepath root sun_path"
_BUFFERS: Final = "data args msgcontrol env cgroups value_bytebuf img"
_ADDRESSES: Final = "local_ip remote_ip"
_PORTS: Final = "local_port remote_port"
# Numbers without constants in Falco, with libscap's name of the type
_CODES: Final = {"ID": 18, "sig": 19}
_BUFFER_CODE: Final = 10
_INCOMPARABLE: Final = {
    "SOCKADDR": "addr",
    "SOCKTUPLE": "tuple",
    "DYNAMIC": "val res_or_fd arg2 arg3 arg4 arg5",
    "FDLIST": "fds",
    "UID": "ruid euid suid loginuid",
    "GID": "rgid egid sgid",
    "SIGSET": "sigmask",
    "CHARBUFARRAY": "tags argv",
    "<NA>": "ppid sid vtgid",
}
_RAW: Final = "evt.rawarg"
_SHOWN: Final = "evt.arg"
_NUMBER: Final = re.compile(r"[ \t\n\v\f\r]*[+-]?[0-9]+", re.ASCII)
_MAX_PORT: Final = (1 << 31) - 1


def find(text: str) -> FieldInfo | None:
    """Return the field that a string names, or None if it starts with neither name. Raise `FieldError`."""
    base = _RAW if text.startswith(_RAW) else _SHOWN
    if not text.startswith(base) or text.startswith("evt.args"):
        return None
    rest = text.removeprefix(base)
    if rest.startswith("["):
        _refuse_index(base, rest[1:-1])
        return FieldInfo(base, FieldType.STRING, "")
    if not rest.startswith("."):
        raise FieldError(f"filter syntax error: {text}")
    if rest[1:] not in _TYPES:
        if any(rest.startswith(name, 1) for name in _TYPES):
            raise FieldError(f"filter_check called with nonexistent field {text}", text)
        raise FieldError(f"unknown event argument {rest[1:]}")
    return FieldInfo(base, _TYPES[rest[1:]] if base == _RAW else FieldType.STRING, "")


def traits(text: str) -> Traits:
    """Return what Falco knows of the field that a string names beyond its `FieldInfo`."""
    return _TRAITS.get(text.removeprefix(f"{_RAW}."), PLAIN) if text.startswith(f"{_RAW}.") else PLAIN


def refuse_port(text: str) -> str:
    """Return why a string is not a port (neither a number nor the name of a service of this machine), or "" if it is one."""
    if text.isascii() and text.isdigit():
        return f"unrecognized protocol {text}" if int(text[:20]) > _MAX_PORT else ""
    try:
        if text:
            socket.getservbyname(text)
    except (OSError, ValueError):
        return f"unrecognized protocol {text}"
    return ""


def _refuse_address(text: str) -> str:
    try:
        socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError):
        return f"unrecognized IPv4 address {text}"
    return ""


def _refuse_all(code: int) -> Callable[[str], str]:
    return lambda _: f"wrong parameter type {code}"


def _refuse_index(base: str, index: str) -> None:
    if base == _RAW:
        raise FieldError("evt.arg fields must be expressed explicitly")
    if _NUMBER.fullmatch(index) is None:
        raise FieldError(f"{index} is not a valid number")


_TYPES: Final[dict[str, FieldType]] = {
    **dict.fromkeys(" ".join([_TEXTS, _PATHS, _BUFFERS, *_INCOMPARABLE.values()]).split(), FieldType.STRING),
    **dict.fromkeys([*_NUMBERS.split(), *_PORTS.split(), *_CODES], FieldType.UINT64),
    **dict.fromkeys(_ADDRESSES.split(), FieldType.IPADDR),
}
_TRAITS: Final[dict[str, Traits]] = {
    **{name: Traits(kind, comparable=False) for kind, names in _INCOMPARABLE.items() for name in names.split()},
    **dict.fromkeys(_PATHS.split(), Traits("FSPATH")),
    **dict.fromkeys(_BUFFERS.split(), Traits("BYTEBUF", refusal=_refuse_all(_BUFFER_CODE))),
    **{name: Traits(refusal=_refuse_all(code)) for name, code in _CODES.items()},
    **dict.fromkeys(_ADDRESSES.split(), Traits(refusal=_refuse_address)),
    **dict.fromkeys(_PORTS.split(), Traits("PORT", refusal=refuse_port)),
}
