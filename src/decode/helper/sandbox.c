/* The helper's confinement; see sandbox.h. The list of system calls is what decoding from mapped
 * memory needs: memory, the socket, clocks, threads of this process (an HEVC decoder insists on
 * one) and exit. No call that takes a path is on it; Landlock forbids all paths a second time. A
 * helper that needs fonts may open files for reading, and Landlock alone keeps it to their folders.
 */
#include "decode/helper/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "decode/message.h"
#include "decode/sanitized.h"

static quire_err fail(const char *what, int e, quire_diag *diag) {
    return qi_fail(diag, QUIRE_ERR_HELPER, "%s: %s", what, strerror(e));
}

static bool set_limit(int resource, rlim_t value) {
    struct rlimit old, now = {.rlim_cur = value, .rlim_max = value};
    if (getrlimit(resource, &old)) return false;
    if (old.rlim_max < value) now = old;
    return setrlimit(resource, &now) == 0;
}

/* Allows reading below a path; one that is not there needs no rule. */
static bool allow_reading(int ruleset, const char *path) {
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT || errno == ENOTDIR;
    bool ok = fstat(fd, &st) == 0;
    struct landlock_path_beneath_attr rule = {.parent_fd = fd,
                                              .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE};
    if (ok && S_ISDIR(st.st_mode)) rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
    ok = ok && syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    close(fd);
    return ok;
}

/* Takes away every right to files that this kernel knows, but for reading below the paths given.
 * Returns the version of Landlock, 0 where there is none. */
static uint32_t enter_landlock(const char *const *read_paths, bool *ret_entered) {
    *ret_entered = false;
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1) return 0;
    int n_rights = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;
    struct landlock_ruleset_attr rules = {.handled_access_fs = (UINT64_C(1) << n_rights) - 1};
    int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules.handled_access_fs, 0);
    if (fd < 0) return (uint32_t)abi;
    bool ok = true;
    for (; ok && read_paths && *read_paths; read_paths++)
        ok = allow_reading(fd, *read_paths);
    *ret_entered = ok && syscall(SYS_landlock_restrict_self, fd, 0) == 0;
    close(fd);
    return (uint32_t)abi;
}

/* Calls that are harmless whatever their arguments. */
static const int free_calls[] = {
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(brk),
    SCMP_SYS(madvise),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(futex),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getrusage),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(sched_yield),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(gettid),
    SCMP_SYS(getpid),
    SCMP_SYS(getrandom),
    SCMP_SYS(sysinfo), /* by qsort */
};

/* What reading a file takes, once it may be opened; nothing that changes one. */
static const int file_calls[] = {
    SCMP_SYS(read),       SCMP_SYS(pread64),    SCMP_SYS(lseek),      SCMP_SYS(newfstatat),
    SCMP_SYS(statx),      SCMP_SYS(getdents64), SCMP_SYS(access),     SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2), SCMP_SYS(readlink),   SCMP_SYS(readlinkat), SCMP_SYS(fstatfs),
    SCMP_SYS(statfs),     SCMP_SYS(fadvise64),
};

static int add_file_rules(scmp_filter_ctx f) {
    int e = 0;
    for (size_t i = 0; !e && i < sizeof file_calls / sizeof *file_calls; i++)
        e = seccomp_rule_add(f, SCMP_ACT_ALLOW, file_calls[i], 0);
    scmp_datum_t writing = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND;
    if (!e)
        e = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, writing, 0));
    if (!e)
        e = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, SCMP_A1(SCMP_CMP_EQ, F_SETFD));
    if (!e)
        e = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, SCMP_A1(SCMP_CMP_EQ, F_GETFL));
    /* Streams ask whether they are a terminal. */
    if (!e) e = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), 0);
    return e;
}

/* What it takes to make a child and to narrow the sandbox there. A filter also binds children,
 * which can but add to it, so the rest of what they need is allowed as well; their own filter
 * leaves all of this out. */
static int add_fork_rules(scmp_filter_ctx f) {
    int e = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                             SCMP_A0(SCMP_CMP_EQ, CLONE_PARENT | SIGCHLD));
    if (!e)
        e = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(dup3), 1,
                             SCMP_A1(SCMP_CMP_EQ, QI_HELPER_SOCKET));
    if (!e)
        e = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 2,
                             SCMP_A0(SCMP_CMP_EQ, PR_SET_PDEATHSIG), SCMP_A1(SCMP_CMP_EQ, SIGKILL));
    if (!e)
        e = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(seccomp), 2,
                             SCMP_A0(SCMP_CMP_EQ, SECCOMP_SET_MODE_FILTER),
                             SCMP_A1(SCMP_CMP_EQ, 0));
    /* abort() of a child, whose number is not known yet. */
    if (!e)
        e = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A2(SCMP_CMP_EQ, SIGABRT));
    return e;
}

/* pid: the process that may signal itself. */
static int add_rules(scmp_filter_ctx f, const qi_sandbox_needs *needs, uint32_t pid) {
    bool with_threads = needs->threads;
    int e = needs->read_paths ? add_file_rules(f) : 0;
    if (!e && needs->forks) e = add_fork_rules(f);
    for (size_t i = 0; !e && i < sizeof free_calls / sizeof *free_calls; i++)
        e = seccomp_rule_add(f, SCMP_ACT_ALLOW, free_calls[i], 0);
    /* The socket alone is talked to; codecs' complaints may go to /dev/null. */
    int socket = QI_HELPER_SOCKET;
    if (!e)
        e = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(recvmsg), 1, SCMP_A0(SCMP_CMP_EQ, socket));
    if (!e)
        e = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(sendmsg), 1, SCMP_A0(SCMP_CMP_EQ, socket));
    if (!e) e = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(write), 1, SCMP_A0(SCMP_CMP_EQ, 2));
    if (!e) e = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(writev), 1, SCMP_A0(SCMP_CMP_EQ, 2));
    /* Memory that cannot be executed, and none that escapes the limit by being shared. */
    if (!e)
        e = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
                             SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_SHARED | MAP_ANONYMOUS, MAP_SHARED));
    if (!e)
        e = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
                             SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_SHARED, 0));
    if (!e)
        e = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    /* Threads, never processes. clone3 hides its flags in memory; the C library falls back. */
    if (!e && with_threads)
        e = seccomp_rule_add(
            f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
            SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM));
    if (!e && with_threads) e = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    /* Without an answer, decoders take this for a machine of one core and start no pools. */
    if (!e) e = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(sched_getaffinity), 0);
    /* Tiles, which reading asks for with its processor's level (base/cpu.c), are no use here. */
    if (!e) e = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(arch_prctl), 0);
    /* abort() signals the process itself. */
    if (!e) e = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, pid));
    return e;
}

static quire_err enter_seccomp(const qi_sandbox_needs *needs, quire_diag *diag) {
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!f) return fail("no system call filter", ENOMEM, diag);
    int e = seccomp_attr_set(f, SCMP_FLTATR_CTL_NNP, 0); /* it is set */
    if (!e) e = add_rules(f, needs, (uint32_t)getpid());
    if (!e) e = seccomp_load(f);
    seccomp_release(f);
    return e ? fail("the system call filter cannot be set", -e, diag) : QUIRE_ERR_OK;
}

/* Stands for the child's process id, which is not known yet: larger than any. */
enum { ANY_PID = 0x40000001 };

static int read_filter(int fd, qi_sandbox_filter *ret) {
    const off_t n_bytes = lseek(fd, 0, SEEK_END);
    const size_t n = n_bytes > 0 ? (size_t)n_bytes / sizeof *ret->code : 0;
    if (!n || n > UINT16_MAX) return EINVAL;
    ret->code = malloc((size_t)n_bytes);
    if (!ret->code) return ENOMEM;
    if (pread(fd, ret->code, (size_t)n_bytes, 0) != n_bytes) return EIO;
    ret->n = (uint16_t)n;
    return 0;
}

quire_err qi_sandbox_prepare(const qi_sandbox_needs *needs, qi_sandbox_filter *ret,
                             quire_diag *diag) {
    int fd = memfd_create("filter", MFD_CLOEXEC);
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int e = fd < 0 ? errno : f ? 0 : ENOMEM;
    if (!e) e = -add_rules(f, needs, ANY_PID);
    if (!e) e = -seccomp_export_bpf(f, fd);
    if (!e) e = read_filter(fd, ret);
    seccomp_release(f);
    if (fd >= 0) close(fd);
    return e ? fail("the children's system call filter cannot be made", e, diag) : QUIRE_ERR_OK;
}

quire_err qi_sandbox_enter(const qi_sandbox_needs *needs, uint32_t *ret_confinement,
                           uint32_t *ret_landlock_abi, quire_diag *diag) {
    /* The terminal's and a supervisor's signals are the parent's to act on. */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_DUMPABLE, 0) ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return fail("prctl", errno, diag);
    if (close_range(QI_HELPER_SOCKET + 1, ~0u, 0)) return fail("close_range", errno, diag);
    /* Descriptors: 0–3, the ruleset of Landlock, one with a request; fonts. Memory and processor
     * time are limited by the parent, for each request. */
    if (!set_limit(RLIMIT_NOFILE, needs->read_paths ? 64 : 8) || !set_limit(RLIMIT_CORE, 0) ||
        !set_limit(RLIMIT_FSIZE, 0) || !set_limit(RLIMIT_MEMLOCK, 0) ||
        !set_limit(RLIMIT_MSGQUEUE, 0))
        return fail("setrlimit", errno, diag);
    bool has_landlock;
    uint32_t abi = enter_landlock(needs->read_paths, &has_landlock), confinement = 0;
    if (has_landlock) confinement |= QI_CONFINED_LANDLOCK;
    if (needs->read_paths && !has_landlock)
        return fail("fonts cannot be opened safely without Landlock (Linux 5.13)", ENOSYS, diag);
    if (!QI_SANITIZED) {
        quire_err e = enter_seccomp(needs, diag);
        if (e) return e;
        confinement |= QI_CONFINED_SECCOMP;
    }
    *ret_confinement = confinement;
    *ret_landlock_abi = abi;
    return QUIRE_ERR_OK;
}

quire_err qi_sandbox_narrow(qi_sandbox_filter *filter, quire_diag *diag) {
    const struct sock_fprog program = {filter->n, filter->code};
    if (prctl(PR_SET_PDEATHSIG, SIGKILL)) return fail("prctl", errno, diag);
    if (QI_SANITIZED) return QUIRE_ERR_OK;
    for (uint16_t i = 0; i < filter->n; i++)
        if (filter->code[i].k == ANY_PID) filter->code[i].k = (uint32_t)getpid();
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
        return fail("the system call filter cannot be set", errno, diag);
    return QUIRE_ERR_OK;
}
