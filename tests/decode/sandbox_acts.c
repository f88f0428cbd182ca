/* Enters the helper's sandbox and does one thing there: a forbidden act must kill the process, an
 * allowed one end it with status 0. Made of the helper's own sources, with this main in place of
 * its own.
 *
 *     sandbox_acts [--threads] [--fonts] [--template|--child] ACT
 *
 * --template: as a template does, of which --child makes a child that does it; that is a child of
 * the caller of this program, as is usual with templates, and left for it to wait for.
 *
 * fonts and secret open a file that --fonts grants, and one that it does not: status 5 where that
 * is denied. */
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "decode/helper/sandbox.h"
#include "decode/helper/template.h"
#include "decode/message.h"

static void *thread_main(void *argument) {
    return argument;
}

static void do_thread(void) {
    pthread_t t;
    if (pthread_create(&t, NULL, thread_main, NULL) || pthread_join(t, NULL)) _exit(3);
}

static void do_memory(void) {
    for (size_t n = 1; n < 64u << 20; n *= 3) {
        char *p = malloc(n);
        if (!p) _exit(3);
        memset(p, 1, n);
        p = realloc(p, n * 2);
        if (!p) _exit(3);
        free(p);
    }
}

static void do_reply(void) {
    qi_reply reply = {.version = QI_MESSAGE_VERSION};
    qi_message_send(QI_HELPER_SOCKET, &reply, sizeof reply, -1);
}

static void do_open(void) {
    open("/etc/passwd", O_RDONLY);
}
static void do_fonts(void) {
    if (open("/usr/share/fonts", O_RDONLY | O_DIRECTORY) < 0) _exit(5);
}
static void do_secret(void) {
    if (open("/etc/passwd", O_RDONLY) < 0) _exit(5);
}
static void do_create(void) {
    syscall(SYS_openat, AT_FDCWD, "made-by-the-sandbox", O_CREAT | O_WRONLY, 0600);
}
static void do_open_old(void) {
    syscall(SYS_open, "/etc/passwd", O_RDONLY);
}
static void do_unlink(void) {
    unlink("nothing");
}
static void do_stat(void) {
    access("/etc/passwd", R_OK);
}
static void do_socket(void) {
    socket(AF_INET, SOCK_STREAM, 0);
}
static void do_connect(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = 1};
    connect(QI_HELPER_SOCKET, (struct sockaddr *)&a, sizeof a);
}
static void do_execve(void) {
    char *argv[] = {(char *)"true", NULL};
    execve("/bin/true", argv, argv + 1);
}
static void do_fork(void) {
    syscall(SYS_fork);
}
static void do_vfork(void) {
    syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
}
static void do_clone(void) {
    syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}
static void do_ptrace(void) {
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}
static void do_kill(void) {
    kill(getppid(), 0);
}
static void do_tgkill(void) {
    syscall(SYS_tgkill, 1, 1, 0);
}
static void do_mmap_exec(void) {
    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
static void do_mprotect_exec(void) {
    mprotect((void *)((uintptr_t)&do_mprotect_exec & ~(uintptr_t)4095), 4096,
             PROT_READ | PROT_WRITE | PROT_EXEC);
}
static void do_mmap_shared(void) {
    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}
static void do_prctl(void) {
    prctl(PR_SET_DUMPABLE, 1);
}
static void do_setrlimit(void) {
    struct rlimit l = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_DATA, &l);
}
static void do_memfd(void) {
    memfd_create("x", 0);
}
static void do_write(void) {
    char c = 0;
    syscall(SYS_write, QI_HELPER_SOCKET, &c, 1);
}
static void do_read(void) {
    char c;
    syscall(SYS_read, 0, &c, 1);
}
static void do_dup(void) {
    syscall(SYS_dup, 0);
}
/* What making a child takes. */
static void do_clone_parent(void) {
    syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
}
static void do_dup3(void) {
    dup3(0, QI_HELPER_SOCKET, 0);
}
static void do_pdeathsig(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}
static void do_filter(void) {
    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL);
}
static void do_abort(void) {
    abort();
}
static void do_ioctl(void) {
    isatty(0);
}
static void do_uname(void) {
    syscall(SYS_uname, NULL);
}
static void do_io_uring(void) {
    syscall(425, 1, NULL);
}
static void do_x32(void) {
    syscall(0x40000000 | SYS_getpid);
}

static const struct {
    const char *name;
    void (*act)(void);
} acts[] = {
#define ACT(name)                                                                                  \
    { #name, do_##name }
    ACT(thread),   ACT(memory),    ACT(reply),        ACT(open),          ACT(create),
    ACT(open_old), ACT(unlink),    ACT(stat),         ACT(socket),        ACT(connect),
    ACT(execve),   ACT(fork),      ACT(vfork),        ACT(clone),         ACT(ptrace),
    ACT(kill),     ACT(tgkill),    ACT(mmap_exec),    ACT(mprotect_exec), ACT(mmap_shared),
    ACT(prctl),    ACT(setrlimit), ACT(memfd),        ACT(write),         ACT(read),
    ACT(dup),      ACT(ioctl),     ACT(uname),        ACT(io_uring),      ACT(x32),
    ACT(fonts),    ACT(secret),    ACT(clone_parent), ACT(dup3),          ACT(pdeathsig),
    ACT(filter),   ACT(abort),
};

/* Tells what the sandbox left: descriptors, and what it says of itself. */
static void report(uint32_t confinement, uint32_t landlock_abi) {
    char line[200];
    int n = snprintf(line, sizeof line, "seccomp %d landlock %d abi %u\n",
                     !!(confinement & QI_CONFINED_SECCOMP), !!(confinement & QI_CONFINED_LANDLOCK),
                     landlock_abi);
    struct iovec io = {line, (size_t)n};
    syscall(SYS_writev, 2, &io, 1);
}

/* The socket at its place, with one request for a child waiting in it. */
static bool ask_for_a_child(void) {
    int pair[2], child = open("/dev/null", O_RDWR);
    if (child < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) return false;
    qi_request request = {.version = QI_MESSAGE_VERSION, .kind = QI_MESSAGE_FORK};
    return qi_message_send(pair[1], &request, sizeof request, child) &&
           dup2(pair[0], QI_HELPER_SOCKET) >= 0;
}

static void act(const char *name) {
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (!strcmp(name, acts[i].name)) {
            acts[i].act();
            _exit(0);
        }
    _exit(2);
}

int main(int argc, char **argv) {
    static const char *const fonts[] = {"/usr/share/fonts", "/nowhere", NULL};
    qi_sandbox_needs needs = {0};
    bool in_child = false, is_template = false;
    for (int i = 1; i < argc - 1; i++) {
        if (!strcmp(argv[i], "--threads")) needs.threads = true;
        if (!strcmp(argv[i], "--fonts")) needs.read_paths = fonts;
        if (!strcmp(argv[i], "--child")) in_child = true;
        is_template |= !strcmp(argv[i], "--template") || in_child;
    }
    const char *name = argc > 1 ? argv[argc - 1] : "";
    dup2(open("/dev/null", O_RDWR), QI_HELPER_SOCKET);
    if (in_child && !ask_for_a_child()) return 4;
    if (needs.threads) do_thread();
    uint32_t confinement, abi;
    quire_diag diag;
    qi_sandbox_filter filter;
    if (in_child && qi_sandbox_prepare(&needs, &filter, &diag)) {
        fprintf(stderr, "%s\n", diag.text);
        return 2;
    }
    needs.forks = is_template;
    if (qi_sandbox_enter(&needs, &confinement, &abi, &diag)) {
        fprintf(stderr, "%s\n", diag.text);
        return 2;
    }
    if (in_child) {
        if (!qi_template_run()) _exit(0);
        if (qi_sandbox_narrow(&filter, &diag)) _exit(6);
    }
    if (!strcmp(name, "report")) {
        report(confinement, abi);
        _exit(0);
    }
    act(name);
}
