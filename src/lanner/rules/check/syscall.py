"""The event source `syscall`, whose events Lanner does not read: data for Falco's reports on its rules.

The input are names of fields and events (facts of libs 0.25.4), the output is a catalog and the set of event types for which a
condition can be true. Fields with arguments are accepted without Falco's checks of the text in brackets.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lanner.rules.check import event_arguments
from lanner.rules.check.event_arguments import refuse_port
from lanner.rules.condition.ast import And, Check, Constant, ConstantList, Field, Not, OperandList, Or, Transform, find
from lanner.rules.language.catalog import Catalog, FieldError, FieldRequest, Traits
from lanner.sdk.types import FieldInfo, FieldType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lanner.rules.condition.ast import Condition

SOURCE: Final = "syscall"
# One rule with more event types than this has too many
_MANY: Final = 100
_GENERIC: Final = "syscall"
_NO_TRANSFORMERS: Final = "event code search does not support `evt.type` checks with transformers"
_NO_FIELDS: Final = "right-hand field comparisons on `evt.type`/`syscall.type` checks are not supported by event code search"

_FIELDS: Final = {
    FieldType.RELTIME: """
        evt.latency evt.latency.s evt.latency.ns evt.deltatime evt.deltatime.s evt.deltatime.ns evt.wait_latency proc.duration
        proc.ppid.duration proc.pid.ts proc.ppid.ts thread.exectime thread.totexectime
    """,
    FieldType.STRING: """
        evt.latency.human evt.outputtime evt.dir evt.type syscall.type evt.category evt.args evt.info evt.buffer evt.res evt.io_dir
        proc.exe proc.pexe proc.exepath proc.pexepath proc.name proc.pname proc.cmdline proc.pcmdline proc.exeline proc.cwd
        proc.sname proc.sid.exe proc.sid.exepath proc.vpgid.name proc.vpgid.exe proc.vpgid.exepath proc.pgid.name proc.pgid.exe
        proc.pgid.exepath thread.cap_permitted thread.cap_inheritable thread.cap_effective thread.cgroups proc.stdin.type
        proc.stdout.type proc.stderr.type proc.stdin.name proc.stdout.name proc.stderr.name user.name user.homedir user.shell
        user.loginname group.name fd.type fd.typechar fd.name fd.directory fd.filename fd.l4proto fd.sockfamily fd.uid
        fd.containername fd.containerdirectory fd.cproto fd.sproto fd.lproto fd.rproto fd.cip.name fd.sip.name fd.lip.name
        fd.rip.name fd.nameraw fs.path.name fs.path.nameraw fs.path.source fs.path.sourceraw fs.path.target fs.path.targetraw
        fdlist.nums fdlist.names fdlist.cips fdlist.sips fdlist.cports fdlist.sports
    """,
    FieldType.UINT64: """
        evt.cpu evt.buflen evt.rawres evt.count evt.count.error evt.count.error.file evt.count.error.net evt.count.error.memory
        evt.count.error.other evt.count.exit proc.cmdnargs proc.cmdlenargs proc.loginshellid proc.tty proc.pid proc.ppid proc.vpid
        proc.pvpid proc.sid proc.vpgid proc.pgid proc.exe_ino proc.pidns_init_start_ts proc.fdopencount proc.fdlimit proc.fdusage
        proc.vmsize proc.vmrss proc.vmswap thread.pfmajor thread.pfminor thread.tid thread.vtid proc.nthreads proc.nchilds thread.cpu
        thread.cpu.user thread.cpu.system thread.vmsize thread.vmrss user.uid user.loginuid group.gid fd.num fd.port fd.cport
        fd.sport fd.lport fd.rport fd.proto fd.dev fd.dev.major fd.dev.minor fd.ino util.cnt
    """,
    FieldType.BOOL: """
        evt.failed evt.is_io evt.is_io_read evt.is_io_write evt.is_wait evt.is_syslog evt.is_open_read evt.is_open_write
        evt.is_open_exec evt.is_open_create proc.is_exe_writable proc.is_exe_upper_layer proc.is_exe_lower_layer
        proc.is_exe_from_memfd proc.is_sid_leader proc.is_vpgid_leader proc.is_pgid_leader thread.ismain fd.is_server fd.connected
        fd.name_changed fd.is_upper_layer fd.is_lower_layer
    """,
    FieldType.ABSTIME: """
        proc.exe_ino.ctime proc.exe_ino.mtime proc.exe_ino.ctime_duration_proc_start proc.exe_ino.ctime_duration_pidns_start
    """,
    FieldType.IPADDR: """
        fd.ip fd.cip fd.sip fd.lip fd.rip
    """,
    FieldType.IPNET: """
        fd.net fd.cnet fd.snet fd.lnet fd.rnet
    """,
}
# libscap's types that no plugin field has
_NATIVE_TYPES: Final = {
    "BYTEBUF": "evt.buffer",
    "DOUBLE": "proc.fdusage thread.cpu thread.cpu.user thread.cpu.system",
    "INT16": "evt.cpu",
    "INT32": "fd.dev fd.dev.major fd.dev.minor",
    "INT64": """
        evt.rawres fd.num fd.ino proc.loginshellid proc.pid proc.ppid proc.apid proc.vpid proc.pvpid proc.sid proc.vpgid proc.pgid
        proc.exe_ino proc.fdlimit thread.tid thread.vtid user.loginuid
    """,
    "PORT": "fd.port fd.cport fd.sport fd.lport fd.rport fd.proto",
    "UINT32": """
        evt.type.is evt.count evt.count.error evt.count.error.file evt.count.error.net evt.count.error.memory evt.count.error.other
        evt.count.exit group.gid proc.tty user.uid
    """,
}
_TYPE_NAMES: Final = {name: kind for kind, names in _NATIVE_TYPES.items() for name in names.split()}
_WITHOUT_FIELDS: Final = """
    evt.around evt.rawarg fd.ip fd.port fd.proto fd.net fd.cnet fd.snet fd.lnet fd.rnet fd.cip.name fd.sip.name fd.lip.name fd.rip.name
    fd.types proc.aexe proc.aexepath proc.aname proc.acmdline proc.aenv proc.apid
"""
_COMPARED_ALONE: Final = frozenset(_WITHOUT_FIELDS.split())
_UNTRANSFORMED: Final = _COMPARED_ALONE - {"fd.types"}
_NAMING: Final = frozenset({"=", "==", "!=", "in"})
_SEARCHING: Final = _NAMING | {"exists"}
_SEARCHED: Final = frozenset({"evt.type", "syscall.type"})
_EVENTS: Final = {
    1: """
        scapevent close_range signaldeliver procinfo cpu_hotplug k8s tracer mesos notification infra page_fault pluginevent useradded
        userdeleted groupadded groupdeleted asyncevent task task_file_pipe task_file_memfd task_file_regular task_file_directory
        task_file_socket_inet task_file_socket_inet6 task_file_socket_unix task_file_socket_netlink task_file_anon_inode keyctl
    """,
    2: """
        syscall open close read write procexit socket bind connect listen send sendto recv recvfrom shutdown getsockname getpeername
        socketpair setsockopt getsockopt sendmsg sendmmsg recvmsg recvmmsg creat pipe eventfd futex stat lstat fstat stat64 lstat64
        fstat64 epoll_wait poll lseek llseek getcwd chdir fchdir pread pwrite readv writev preadv pwritev signalfd kill tkill tgkill
        nanosleep timerfd_create inotify_init getrlimit setrlimit prlimit switch drop fcntl mmap mmap2 munmap splice ptrace rename
        renameat symlink symlinkat sendfile quotactl setresuid setresgid setuid setgid getuid geteuid getgid getegid getresuid
        getresgid getdents getdents64 setns flock semop semctl ppoll mount semget access chroot setsid unshare setpgid seccomp
        mkdirat fchmodat chmod fchmod renameat2 userfaultfd openat2 mprotect execveat copy_file_range clone3 open_by_handle_at
        io_uring_setup io_uring_enter io_uring_register mlock munlock mlockall munlockall capset dup2 dup3 mlock2 fsconfig
        epoll_create epoll_create1 chown lchown fchown fchownat accept4 umount2 pipe2 inotify_init1 eventfd2 signalfd4 prctl
        memfd_create pidfd_getfd pidfd_open init_module finit_module mknod mknodat newfstatat process_vm_readv process_vm_writev
        delete_module setreuid setregid
    """,
    3: """
        container
    """,
    4: """
        brk select ioctl mkdir rmdir openat link linkat unlink unlinkat dup umount bpf
    """,
    6: """
        fork vfork
    """,
    8: """
        clone accept
    """,
    16: """
        execve
    """,
    35: """
        NA
    """,
}
_CALLS: Final = """
    unknown restart_syscall exit time getpid alarm pause utime sync times acct umask ustat getppid getpgrp sethostname getrusage
    gettimeofday settimeofday readlink uselib swapon reboot truncate ftruncate getpriority setpriority statfs fstatfs syslog
    setitimer getitimer uname vhangup wait4 swapoff sysinfo fsync setdomainname adjtimex getpgid sysfs personality msync getsid
    fdatasync sched_setparam sched_getparam sched_setscheduler sched_getscheduler sched_yield sched_get_priority_max
    sched_get_priority_min sched_rr_get_interval mremap rt_sigaction rt_sigprocmask rt_sigpending rt_sigtimedwait rt_sigqueueinfo
    rt_sigsuspend capget getgroups setgroups setfsuid setfsgid pivot_root mincore madvise gettid setxattr lsetxattr fsetxattr
    getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr sched_setaffinity
    sched_getaffinity set_thread_area get_thread_area io_setup io_destroy io_getevents io_submit io_cancel exit_group epoll_ctl
    remap_file_pages set_tid_address timer_create timer_settime timer_gettime timer_getoverrun timer_delete clock_settime
    clock_gettime clock_getres clock_nanosleep utimes mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr
    kexec_load waitid add_key request_key ioprio_set ioprio_get inotify_add_watch inotify_rm_watch futimesat readlinkat faccessat
    pselect6 set_robust_list get_robust_list tee vmsplice getcpu epoll_pwait utimensat timerfd_settime timerfd_gettime
    rt_tgsigqueueinfo perf_event_open fanotify_init prlimit64 clock_adjtime syncfs msgsnd msgrcv msgget msgctl shmdt shmget shmctl
    statfs64 fstatfs64 fstatat64 sendfile64 ugetrlimit bdflush sigprocmask ipc socketcall fcntl64 _newselect sgetmask ssetmask
    sigpending olduname signal nice stime _llseek waitpid pread64 pwrite64 arch_prctl shmat rt_sigreturn fallocate setuid32 getuid32
    setgid32 geteuid32 getgid32 setresuid32 setresgid32 getresuid32 getresgid32 sigaltstack getrandom fadvise64 getegid32 fspick
    fsmount fsopen open_tree move_mount mount_setattr memfd_secret ioperm kexec_file_load pidfd_send_signal pkey_alloc pkey_mprotect
    pkey_free landlock_create_ruleset quotactl_fd landlock_restrict_self landlock_add_rule epoll_pwait2 migrate_pages move_pages
    preadv2 pwritev2 kcmp sched_setattr mbind epoll_ctl_old lookup_dcookie modify_ldt statx set_mempolicy io_pgetevents
    set_mempolicy_home_node semtimedop get_kernel_syms readahead futex_waitv getpmsg name_to_handle_at process_mrelease nfsservctl
    epoll_wait_old rseq create_module na_1 sched_getattr faccessat2 _sysctl query_module get_mempolicy sync_file_range
    process_madvise membarrier iopl fanotify_mark sched_process_exit sched_switch page_fault_user page_fault_kernel signal_deliver
    timerfd s390_pci_mmio_read sigaction s390_pci_mmio_write readdir s390_sthyi sigsuspend idle s390_runtime_instr sigreturn
    s390_guarded_storage cachestat fchmodat2 map_shadow_stack riscv_flush_icache riscv_hwprobe futex_wake futex_requeue futex_wait
    oldstat switch_endian multiplexer oldlstat spu_create sync_file_range2 oldfstat spu_run swapcontext pciconfig_write rtas
    pciconfig_read sys_debug_setcontext vm86 oldolduname subpage_prot pciconfig_iobase listmount statmount lsm_get_self_attr
    lsm_set_self_attr lsm_list_modules mseal uretprobe removexattrat listxattrat getxattrat setxattrat open_tree_attr file_getattr
    file_setattr listns uprobe rseq_slice_yield
"""

_TEXT_ARGUMENT: Final = re.compile(
    r"proc\.(?:aexe|aexepath|aname|args|aargs|acmdline|env|aenv)(?:\[[^\]]*\])?|thread\.cgroup[.\[].+"
    r"|evt\.abspath(?:\.src|\.dst)?"
)
_NUMBER_ARGUMENT: Final = re.compile(r"proc\.apid(?:\[[^\]]*\])?|evt\.around\[[0-9]+\]|evt\.type\.is\.[a-z0-9_]+")
_BASE: Final = re.compile(r"(?:evt\.(?:type\.is|abspath|around)|thread\.cgroup|fd\.types|proc\.[a-z]+)")
_LIST_ARGUMENT: Final = re.compile(r"fd\.types(?:\[[^\]]*\])?")

_COUNTS: Final[dict[str, int]] = {name: count for count, names in _EVENTS.items() for name in names.split()}
_COUNTS[""] = 1  # an invalid event
_ALL: Final = frozenset(_COUNTS)
_GENERIC_CALLS: Final = frozenset(_CALLS.split())
# Calls that Falco prints with the name of their event
_RENAMED: Final = """
    _llseek fcntl64 getegid32 geteuid32 getgid32 getresgid32 getresuid32 getuid32 na_1 page_fault_kernel page_fault_user pread64 prlimit64
    pwrite64 sched_process_exit sched_switch sendfile64 setgid32 setresgid32 setresuid32 setuid32 signal_deliver ugetrlimit
"""
# The call accept4 belongs to two events, so their calls are derived from the events
_CALLED: Final = {"accept": {"accept()", "accept4()"}, "accept4": {"accept4()"}}
_PRINTED: Final = {"accept()": {"accept"}, "accept4()": {"accept", "accept4"}}
_LISTED: Final = (_ALL | _GENERIC_CALLS | frozenset(_PRINTED)) - frozenset(_RENAMED.split())
_UNLISTED: Final = frozenset({_GENERIC, "unknown", ""})


class SyscallCatalog(Catalog):
    """The fields of system calls, with a plugin's fields for that source."""

    def __init__(self, fields: Iterable[FieldInfo] = ()) -> None:
        super().__init__(fields, SOURCE)
        self._generic |= {name: FieldInfo(name, kind, "") for kind, names in _FIELDS.items() for name in names.split()}

    def lookup(self, name: str) -> FieldInfo | None:
        """Return the field with exactly this name, without brackets."""
        try:
            return super().lookup(name) or _find_with_argument(name)
        except FieldError:
            return None

    def request(self, text: str) -> FieldRequest:
        """Return the request that the text makes. Raises `FieldError`."""
        info = _find_with_argument(text)
        return super().request(text) if info is None else FieldRequest(text, None, info)

    def traits(self, request: FieldRequest) -> Traits:
        """Return what Falco knows of a field beyond its `FieldInfo`."""
        name = request.info.name
        argument = event_arguments.traits(request.name)
        return argument._replace(
            type_name=argument.type_name or _TYPE_NAMES.get(name, ""),
            takes_transformers=name not in _UNTRANSFORMED,
            takes_fields=name not in _COMPARED_ALONE,
            only_equal=name == "evt.around",
            refusal=_refuse_type if name == "evt.type" else refuse_port if _TYPE_NAMES.get(name) == "PORT" else argument.refusal,
        )


def _refuse_type(text: str) -> str:
    return "" if text in _ALL | _GENERIC_CALLS else f"unknown event type {text}"


def _find_with_argument(text: str) -> FieldInfo | None:
    if (argument := event_arguments.find(text)) is not None:
        return argument
    name = _BASE.match(text)
    if name is None:
        return None
    if _TEXT_ARGUMENT.fullmatch(text):
        return FieldInfo(name[0], FieldType.STRING, "")
    if _NUMBER_ARGUMENT.fullmatch(text):
        return FieldInfo(name[0], FieldType.UINT64, "")
    return FieldInfo(name[0], FieldType.STRING, "", is_list=True) if _LIST_ARGUMENT.fullmatch(text) else None


def matches_too_many(condition: Condition) -> bool:
    """Return whether a condition can be true for too many event types, or for none at all."""
    count = sum(_COUNTS[name] for name in _events(condition, _ALL))
    return not 0 < count <= _MANY


def unsearchable(condition: Condition) -> str:
    """Return why Falco cannot determine the event types of a condition, for which it exits, or ""."""
    return next(filter(None, map(_search_error, find(Check, condition))), "")


def _search_error(check: Check) -> str:
    match check:
        case Check(Transform() as left, operator) if operator in _SEARCHING and _hides_type(left):
            return _NO_TRANSFORMERS
        case Check(Field(name), operator, Transform() as right) if operator in _NAMING and name in _SEARCHED:
            return _NO_TRANSFORMERS if _hides_type(right) else _NO_FIELDS
    return ""


def _hides_type(node: Transform) -> bool:
    """Return whether Falco finds the event type in a transformer: as an argument, or as the last one of a list."""
    for part in node.arguments:
        items = part.items if isinstance(part, OperandList) else (part,)
        if any(isinstance(each, Transform) and _hides_type(each) for each in items):
            return True
        if items and isinstance(items[-1], Field) and items[-1].name in _SEARCHED:
            return True
    return False


def _find_last(node: Transform) -> Field | Constant | None:
    """Return the last field or constant in the text of a transformer."""
    for part in reversed(node.arguments):
        for each in reversed(part.items if isinstance(part, OperandList) else (part,)):
            if not isinstance(each, Transform):
                return each
            if (found := _find_last(each)) is not None:
                return found
    return None


def event_names(condition: Condition) -> list[str]:
    """Return the sorted names that Falco prints for the events for which a condition can be true."""
    found = _events(condition, _LISTED) | {"asyncevent"}
    return sorted(found - _UNLISTED - _PRINTED.keys() | {name for call in found for name in _PRINTED.get(call, ())})


def _events(node: Condition, universe: frozenset[str], *, negated: bool = False) -> frozenset[str]:
    """Return the event types for which the condition, or its negation, can be true. A check of another field is true for all."""
    match node:
        case Not(child):
            return _events(child, universe, negated=not negated)
        case And(children) | Or(children):
            found = [_events(child, universe, negated=negated) for child in children]
            return frozenset.intersection(*found) if isinstance(node, And) != negated else frozenset.union(*found)
        case Check(Transform() as left, operator) if negated and operator in _NAMING and isinstance(_find_last(left), Constant):
            return frozenset()  # Falco takes that constant for a name of event types, and inverts "all"
        case Check(Field("evt.type" | "syscall.type", None), operator, right, None):
            if operator == "exists":
                return frozenset() if negated else universe
            named = _find_named(right, universe)
            if operator in _NAMING and named is not None:
                return universe - named if negated != (operator == "!=") else named
    return universe


def _find_named(right: object, universe: frozenset[str]) -> frozenset[str] | None:
    """Return the event types that a constant names."""
    if isinstance(right, Constant):
        names = {right.text}
    elif isinstance(right, ConstantList):
        names = {item.text for item in right.items}
    else:
        return None
    names |= {call for name in names for call in _CALLED.get(name, ())}
    known = names & universe - {_GENERIC}
    return frozenset(known | {_GENERIC} if names & _GENERIC_CALLS else known)
