/* The helper's confinement; see sandbox.h. The list of system calls is what decoding from mapped
 * memory needs: memory, the socket, clocks, threads of this process (an HEVC decoder insists on
 * one) and exit. No call that takes a path is on it; Landlock forbids all paths a second time. */
#include "decode/helper/sandbox.h"

#include <errno.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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

/* Every right to files that this kernel knows, granted for no path at all. 0: not available. */
static uint32_t enter_landlock(bool *ret_entered) {
    *ret_entered = false;
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1) return 0;
    int n_rights = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;
    struct landlock_ruleset_attr rules = {.handled_access_fs = (UINT64_C(1) << n_rights) - 1};
    int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules.handled_access_fs, 0);
    if (fd < 0) return (uint32_t)abi;
    *ret_entered = syscall(SYS_landlock_restrict_self, fd, 0) == 0;
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

static int add_rules(scmp_filter_ctx f, bool with_threads) {
    int e = 0;
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
    /* abort() signals the process itself. */
    if (!e)
        e = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                             SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
    return e;
}

static quire_err enter_seccomp(bool with_threads, quire_diag *diag) {
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!f) return fail("no system call filter", ENOMEM, diag);
    int e = add_rules(f, with_threads);
    if (!e) e = seccomp_load(f);
    seccomp_release(f);
    return e ? fail("the system call filter cannot be set", -e, diag) : QUIRE_ERR_OK;
}

quire_err qi_sandbox_enter(bool with_threads, uint32_t *ret_confinement, uint32_t *ret_landlock_abi,
                           quire_diag *diag) {
    /* The terminal's and a supervisor's signals are the parent's to act on. */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_DUMPABLE, 0) ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return fail("prctl", errno, diag);
    if (close_range(QI_HELPER_SOCKET + 1, ~0u, 0)) return fail("close_range", errno, diag);
    /* Descriptors: 0–3, the ruleset of Landlock, one with a request. Memory and processor time are
     * limited by the parent, for each request. */
    if (!set_limit(RLIMIT_NOFILE, 8) || !set_limit(RLIMIT_CORE, 0) || !set_limit(RLIMIT_FSIZE, 0) ||
        !set_limit(RLIMIT_MEMLOCK, 0) || !set_limit(RLIMIT_MSGQUEUE, 0))
        return fail("setrlimit", errno, diag);
    bool has_landlock;
    uint32_t abi = enter_landlock(&has_landlock), confinement = 0;
    if (has_landlock) confinement |= QI_CONFINED_LANDLOCK;
    if (!QI_SANITIZED) {
        quire_err e = enter_seccomp(with_threads, diag);
        if (e) return e;
        confinement |= QI_CONFINED_SECCOMP;
    }
    *ret_confinement = confinement;
    *ret_landlock_abi = abi;
    return QUIRE_ERR_OK;
}
