/* Start the payload with clone(CLONE_VM | CLONE_VFORK), as vfork(2) does; from source: pyinit/native/fallback_spawn.py.
 *
 * The child shares init's memory, so no page is copied, and when init goes on, the exec has happened or has failed.
 * Until then the child runs on init's stack, below what init has there, and makes raw system calls only: libc's
 * functions would write init's errno, and its setuid() would signal init's threads. It allocates nothing.
 *
 * QEMU's user emulation (an amd64 image on an arm64 machine) turns this into a plain fork(2). Then init goes on at
 * once, and reads from a pipe whether the exec has happened or what has failed. Whether memory is shared is known only
 * after the call, so every start makes the pipe.
 */
#define _GNU_SOURCE
#include "spawn.h"

#include "signals.h"
#include "system_call.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where execvp(3) would look: PATH as the payload will see it, or musl's default (as in native/search_path.py). */
bool pyinit_plan_search(struct plan *plan)
{
    const char *path = pyinit_variable(plan->environment.variables, "PATH");
    plan->search = path == NULL ? "/usr/local/bin:/bin:/usr/bin" : path;
    plan->candidate = malloc(strlen(plan->search) + 1 + strlen(plan->arguments[1]) + 1);
    return plan->candidate != NULL;
}

void pyinit_plan_free(struct plan *plan)
{
    pyinit_environment_free(&plan->environment);
    free(plan->candidate);
    free(plan->groups);
    free(plan->arguments);
}

/* Return true if a file that the kernel refuses with ENOEXEC is no script either: the first line of a program for
 * another machine has a zero byte. Shells check the same (POSIX, 2.9.1.4 Command Search and Execution). */
static bool is_binary(const char *file)
{
    char head[128]; /* as in pyinit/native/fallback_exec.py */
    long descriptor = system_call(SYS_open, (long)file, O_RDONLY | O_CLOEXEC, 0, 0);
    if (descriptor < 0) {
        return false;
    }
    long length = system_call(SYS_read, descriptor, (long)head, sizeof head, 0);
    system_call(SYS_close, descriptor, 0, 0, 0);
    for (long i = 0; i < length && head[i] != '\n'; i++) {
        if (head[i] == '\0') {
            return true;
        }
    }
    return false;
}

/* What the child writes to the pipe. The step's name has the same address in both processes. */
struct failure {
    const char *step;
    int error;
};

/* Record a failed step; return true if the child must give up. */
static bool failed(struct plan *plan, const char *step, long result)
{
    if (result >= 0) {
        return false;
    }
    plan->step = step;
    plan->error = -result;
    struct failure failure = {plan->step, plan->error};
    system_call(SYS_write, plan->report, (long)&failure, sizeof failure, 0);
    return true;
}

static _Noreturn void give_up(void)
{
    for (;;) {
        system_call(SYS_exit, 127, 0, 0, 0);
    }
}

/* Return true if execvp(3) tries the next element of PATH after this errno. glibc does for all of these, musl for the
 * first three (posix/execvpe.c, src/process/execvp.c). As in pyinit/native/fallback_exec.py. */
static bool search_goes_on(int error)
{
    return error == EACCES || error == ENOENT || error == ENOTDIR || error == ESTALE || error == ENODEV ||
           error == ETIMEDOUT;
}

/* Return the errno with which exec will certainly refuse a file, if the search then goes on; otherwise 0. */
static int refusal(const char *file)
{
    struct stat found;
    _Static_assert(sizeof found == 144, "struct stat of Linux on x86-64: musl has no other");
    int error = -system_call(SYS_stat, (long)file, (long)&found, 0, 0);
    if (error == 0 && (!S_ISREG(found.st_mode) || (found.st_mode & 0111) == 0)) {
        return EACCES;
    }
    return search_goes_on(error) ? error : 0;
}

/* Execute a file; return the errno if that fails. A text file that is no program is run by the shell (execvp(3)).
 *
 * Once this process has the user's real id, the user's other processes may stop it (kill(2)), and init with it. So it
 * takes that id by the last call before the first exec that may succeed. Until then the effective id, which it already
 * has, decides which files it finds. */
static int execute(struct plan *plan, const char *file)
{
    if (plan->has_identity && !plan->is_users) {
        int error = refusal(file);
        if (error != 0) {
            return error;
        }
        long user = plan->user;
        if (failed(plan, "setuid", system_call(SYS_setresuid, user, user, user, 0))) {
            give_up();
        }
        plan->is_users = true;
    }
    char **with_shell = plan->arguments, **arguments = plan->arguments + 1;
    int error = -system_call(SYS_execve, (long)file, (long)arguments, (long)plan->environment.variables, 0);
    if (error == ENOEXEC && !is_binary(file)) {
        char *program = arguments[0];
        with_shell[0] = "/bin/sh";
        with_shell[1] = (char *)file;
        system_call(SYS_execve, (long)"/bin/sh", (long)with_shell, (long)plan->environment.variables, 0);
        arguments[0] = program;
    }
    return error;
}

/* Try every element of PATH as glibc's execvp(3) does; return the errno if none has the program. */
static int search_and_execute(struct plan *plan)
{
    const char *program = plan->arguments[1];
    if (*program == '\0') {
        return ENOENT;
    }
    if (strchr(program, '/') != NULL) {
        return execute(plan, program);
    }
    if (strnlen(program, NAME_MAX + 1) > NAME_MAX) {
        return ENAMETOOLONG;
    }
    int result = ENOENT;
    for (const char *element = plan->search;;) {
        const char *end = element + strcspn(element, ":");
        if (end - element < PATH_MAX) {
            char *at = mempcpy(plan->candidate, element, end - element);
            if (end != element) { /* an empty element is the current directory */
                *at++ = '/';
            }
            strcpy(at, program);
            int error = execute(plan, plan->candidate);
            if (!search_goes_on(error)) {
                return error;
            }
            if (result != EACCES) { /* the answer, unless a later element has the program */
                result = error;
            }
        }
        if (*end == '\0') {
            return result;
        }
        element = end + 1;
    }
}

static bool take_place(struct plan *plan, int pid)
{
    if (plan->placement == OWN_SESSION) {
        if (failed(plan, "setsid", system_call(SYS_setsid, 0, 0, 0, 0))) {
            return false;
        }
        if (plan->terminal >= 0) {
            system_call(SYS_ioctl, plan->terminal, TIOCSCTTY, 0, 0);
        }
    } else if (plan->placement == OWN_GROUP) {
        if (failed(plan, "setpgid", system_call(SYS_setpgid, 0, 0, 0, 0))) {
            return false;
        }
        if (plan->terminal >= 0) { /* SIGTTOU is still blocked */
            system_call(SYS_ioctl, plan->terminal, TIOCSPGRP, (long)&pid, 0);
        }
    }
    return true;
}

/* Drop all capabilities, inheritable and ambient ones too: those survive a change of user by a process that is not
 * root, and the exec. */
static long drop_capabilities(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}, {0, 0, 0}};
    return system_call(SYS_capset, (long)&header, (long)none, 0, 0);
}

/* Take all but the real and saved user ids, which `execute` takes: those decide which processes may signal this one
 * (kill(2)). The effective id decides which files it finds; its change clears the parent-death signal (prctl(2)). */
static bool take_identity(struct plan *plan)
{
    if (!plan->has_identity) {
        return true;
    }
    long user = plan->user, group = plan->group;
    return !failed(plan, "setgroups", system_call(SYS_setgroups, plan->group_count, (long)plan->groups, 0, 0)) &&
           !failed(plan, "setgid", system_call(SYS_setresgid, group, group, group, 0)) &&
           !failed(plan, "setuid", system_call(SYS_setresuid, -1, user, -1, 0)) &&
           (user == 0 || !failed(plan, "capset", drop_capabilities()));
}

/* Set the parent-death signal. If init died before the call of prctl(2), the child sends the signal to itself. It
 * cannot know that if its parent's pid is 0, an init in another PID namespace (unshare(CLONE_NEWPID)), or if a seccomp
 * profile forbids the calls. */
static void die_with_init(struct plan *plan, int pid)
{
    system_call(SYS_prctl, PR_SET_PDEATHSIG, plan->death_signal, 0, 0);
    int parent = system_call(SYS_getppid, 0, 0, 0, 0);
    if (parent > 0 && plan->init > 0 && parent != plan->init) {
        system_call(SYS_kill, pid, plan->death_signal, 0, 0);
    }
}

static void do_nothing(int number)
{
    (void)number;
}

/* vfork suspends init until the child execs. A child stopped in that window (^Z) would suspend init until someone sends
 * CONT, and nobody would know to. So make these signals no-ops until the exec, which resets handlers (execve(2));
 * ignored ones stay ignored. STOP cannot be caught. */
static void cannot_be_stopped(void)
{
    static const int stops[] = {SIGTSTP, SIGTTIN, SIGTTOU};
    struct kernel_action nothing = {
        .handler = do_nothing,
        .flags = RESTORER | SA_RESTART,
        .restorer = pyinit_signal_return,
    };
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        struct kernel_action inherited = {.handler = SIG_DFL};
        system_call(SYS_rt_sigaction, stops[i], (long)&nothing, (long)&inherited, SIGNAL_SET_BYTES);
        if (inherited.handler == SIG_IGN) {
            system_call(SYS_rt_sigaction, stops[i], (long)&inherited, 0, SIGNAL_SET_BYTES);
        }
    }
}

/* The child. It restores the mask when its dispositions are the payload's: then come the search and the exec. */
static _Noreturn __attribute__((noinline)) void child(struct plan *plan)
{
    plan->is_shared = true;
    int pid = system_call(SYS_getpid, 0, 0, 0, 0);
    if (take_place(plan, pid) && take_identity(plan)) {
        if (plan->death_signal != 0) { /* a change of the effective ids would have cleared it (prctl(2)) */
            die_with_init(plan, pid);
        }
        if (plan->ignore_chld) {
            struct kernel_action ignore = {.handler = SIG_IGN};
            system_call(SYS_rt_sigaction, SIGCHLD, (long)&ignore, 0, SIGNAL_SET_BYTES);
        }
        cannot_be_stopped();
        pyinit_environment_write_pid(&plan->environment, pid);
        system_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&plan->mask, 0, SIGNAL_SET_BYTES);
        failed(plan, "exec", -search_and_execute(plan));
    }
    give_up();
}

/* Return the child's pid, or a negative errno. Both processes return from the system call into this frame, as with
 * vfork(2). The child leaves it intact, because it only makes calls and never returns; it needs no stack of its own. */
static __attribute__((noinline)) long start_child(struct plan *plan)
{
    long pid = system_call(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0);
    if (pid == 0) {
        child(plan);
    }
    return pid;
}

/* Wait for the exec of a child that shares no memory: it closes the pipe. A failure is written to the pipe first. */
static void read_report(struct plan *plan, int pipe)
{
    struct failure failure;
    long length;
    do {
        length = system_call(SYS_read, pipe, (long)&failure, sizeof failure, 0);
    } while (length == -EINTR);
    if (length == sizeof failure) {
        plan->step = failure.step;
        plan->error = failure.error;
    }
}

pid_t pyinit_spawn(struct plan *plan)
{
    if (plan->death_signal != 0) {
        plan->init = getpid();
    }
    int ends[2] = {-1, -1}; /* -1 if no descriptor is free: then only shared memory can tell of a failure */
    system_call(SYS_pipe2, (long)ends, O_CLOEXEC, 0, 0);
    plan->report = ends[1];
    long pid = start_child(plan);
    system_call(SYS_close, ends[1], 0, 0, 0);
    if (pid > 0 && !plan->is_shared) {
        read_report(plan, ends[0]);
    }
    system_call(SYS_close, ends[0], 0, 0, 0);
    if (pid < 0) {
        plan->step = "fork";
        plan->error = -pid;
        return 0;
    }
    if (plan->step != NULL) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
        return 0;
    }
    return pid;
}
