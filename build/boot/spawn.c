/* Starts the payload: clone(CLONE_VM | CLONE_VFORK), as vfork(2) does. pyinit/unfrozen_spawn.py does it from source.
 *
 * The child shares init's memory, so no page is copied, and when init goes on, the exec has happened or has failed.
 * Until then the child runs on a stack of its own and makes raw system calls only: libc's functions would write
 * init's errno, and its setuid() would signal init's threads. It allocates nothing.
 */
#define _GNU_SOURCE
#include "spawn.h"

#include "signals.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The stack has room for a handler's frame: AT_MINSIGSTKSZ (getauxval(3)) is what that may take. */
enum { STACK = 16384, PID_DIGITS = 10 };

/* A system call without libc: negative errno if it fails. */
static long raw(long number, long a, long b, long c, long d)
{
    long result;
    register long fourth __asm__("r10") = d;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth)
                     : "rcx", "r11", "memory");
    return result;
}

/* Whether `entry` of an environment is the variable `name`, which ends with NUL or "=". */
static bool is_variable(const char *entry, const char *name)
{
    while (*name != '\0' && *name != '=' && *entry == *name) {
        entry++;
        name++;
    }
    return *entry == '=' && (*name == '\0' || *name == '=');
}

/* The place in `names` of the variable that `entry` is, or NULL. */
static char **find(char **names, const char *entry)
{
    for (; *names != NULL; names++) {
        if (is_variable(entry, *names)) {
            return names;
        }
    }
    return NULL;
}

static size_t length(char **list)
{
    size_t count = 0;
    while (list[count] != NULL) {
        count++;
    }
    return count;
}

static bool is_concerned(char **environment, const struct changes *changes)
{
    if (*changes->assign != NULL) {
        return true;
    }
    for (; *environment != NULL; environment++) {
        if (find(changes->unset, *environment) != NULL || find(changes->own_pid, *environment) != NULL) {
            return true;
        }
    }
    return false;
}

/* Without a wish that concerns it, the environment is handed on as it lies there, not even copied. */
bool pyinit_plan_environment(struct plan *plan, char **environment, const struct changes *changes)
{
    plan->environment = environment;
    if (!is_concerned(environment, changes)) {
        return true;
    }
    size_t before = length(environment), assigned = length(changes->assign), texts = 0, count = 0;
    char **copy = malloc((before + assigned + 1) * sizeof *copy);
    char **pid_texts = calloc(before + 1, sizeof *pid_texts);
    char **owned = calloc(before + 1, sizeof *owned);
    char *is_set = calloc(assigned + 1, 1);
    plan->environment = copy;
    plan->pid_texts = pid_texts;
    plan->owned = owned;
    if (copy == NULL || pid_texts == NULL || owned == NULL || is_set == NULL) {
        return false;
    }
    for (; *environment != NULL; environment++) {
        char *entry = *environment, **found;
        if (find(changes->unset, entry) != NULL) {
            continue;
        }
        if ((found = find(changes->assign, entry)) != NULL) {
            if (is_set[found - changes->assign]) {
                continue; /* a duplicate would undo the assignment for whoever reads the last */
            }
            is_set[found - changes->assign] = 1;
            entry = *found;
        } else if (find(changes->own_pid, entry) != NULL) {
            size_t name = strchr(entry, '=') + 1 - entry;
            char *text = malloc(name + PID_DIGITS + 1);
            if (text == NULL) {
                return false;
            }
            memcpy(text, entry, name);
            owned[texts] = text;
            pid_texts[texts++] = text + name;
            entry = text;
        }
        copy[count++] = entry;
    }
    for (size_t i = 0; i < assigned; i++) {
        if (!is_set[i]) {
            copy[count++] = changes->assign[i];
        }
    }
    copy[count] = NULL;
    free(is_set);
    return true;
}

/* Where execvp(3) would look: PATH as the payload will see it, or musl's own choice (as in pyinit/searchpath.py). */
bool pyinit_plan_search(struct plan *plan)
{
    plan->search = "/usr/local/bin:/bin:/usr/bin";
    for (char **entry = plan->environment; *entry != NULL; entry++) {
        if (is_variable(*entry, "PATH")) {
            plan->search = strchr(*entry, '=') + 1;
            break;
        }
    }
    plan->candidate = malloc(strlen(plan->search) + 1 + strlen(plan->arguments[1]) + 1);
    return plan->candidate != NULL;
}

void pyinit_plan_free(struct plan *plan)
{
    if (plan->owned != NULL) { /* then the environment is a copy */
        for (char **text = plan->owned; *text != NULL; text++) {
            free(*text);
        }
        free(plan->environment);
    }
    free(plan->owned);
    free(plan->pid_texts);
    free(plan->candidate);
    free(plan->groups);
    free(plan->arguments);
}

/* Returns only if the exec has failed: errno. A file that is no program is a script of the shell's (execvp(3)). */
static int execute(struct plan *plan, const char *file)
{
    char **with_shell = plan->arguments, **arguments = plan->arguments + 1;
    int error = -raw(SYS_execve, (long)file, (long)arguments, (long)plan->environment, 0);
    if (error == ENOEXEC) {
        char *program = arguments[0];
        with_shell[0] = "/bin/sh";
        with_shell[1] = (char *)file;
        raw(SYS_execve, (long)"/bin/sh", (long)with_shell, (long)plan->environment, 0);
        arguments[0] = program;
    }
    return error;
}

/* Tries every element of PATH; returns only if none would do: errno. */
static int search_and_execute(struct plan *plan)
{
    const char *program = plan->arguments[1];
    if (*program == '\0') {
        return ENOENT;
    }
    if (strchr(program, '/') != NULL) {
        return execute(plan, program);
    }
    int result = ENOENT;
    for (const char *element = plan->search;;) {
        const char *end = element + strcspn(element, ":");
        char *at = plan->candidate;
        at = mempcpy(at, element, end - element);
        if (end != element) { /* an empty element is the current directory */
            *at++ = '/';
        }
        strcpy(at, program);
        int error = execute(plan, plan->candidate);
        if (error == EACCES) {
            result = EACCES; /* the answer, unless a later element has the program */
        } else if (error != ENOENT && error != ENOTDIR) {
            return error;
        }
        if (*end == '\0') {
            return result;
        }
        element = end + 1;
    }
}

static void write_pid(char **texts, unsigned pid)
{
    char digits[PID_DIGITS + 1], *first = digits + PID_DIGITS;
    *first = '\0';
    do {
        *--first = '0' + pid % 10;
        pid /= 10;
    } while (pid != 0);
    for (; texts != NULL && *texts != NULL; texts++) {
        strcpy(*texts, first);
    }
}

/* Notes a failed step; whether the child must give up. */
static bool failed(struct plan *plan, const char *step, long result)
{
    if (result >= 0) {
        return false;
    }
    plan->step = step;
    plan->error = -result;
    return true;
}

static bool take_place(struct plan *plan, int pid)
{
    if (plan->placement == NEW_SESSION) {
        if (failed(plan, "setsid", raw(SYS_setsid, 0, 0, 0, 0))) {
            return false;
        }
        if (plan->terminal >= 0) {
            raw(SYS_ioctl, plan->terminal, TIOCSCTTY, 0, 0);
        }
    } else if (plan->placement == NEW_GROUP) {
        if (failed(plan, "setpgid", raw(SYS_setpgid, 0, 0, 0, 0))) {
            return false;
        }
        if (plan->terminal >= 0) { /* SIGTTOU is still blocked */
            raw(SYS_ioctl, plan->terminal, TIOCSPGRP, (long)&pid, 0);
        }
    }
    return true;
}

/* No capability is left, inheritable and ambient ones neither: those outlive the change of a user that was not root,
 * and the exec. */
static long drop_capabilities(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}, {0, 0, 0}};
    return raw(SYS_capset, (long)&header, (long)none, 0, 0);
}

static bool take_identity(struct plan *plan)
{
    if (!plan->has_identity) {
        return true;
    }
    long user = plan->user, group = plan->group;
    return !failed(plan, "setgroups", raw(SYS_setgroups, plan->group_count, (long)plan->groups, 0, 0)) &&
           !failed(plan, "setgid", raw(SYS_setresgid, group, group, group, 0)) &&
           !failed(plan, "setuid", raw(SYS_setresuid, user, user, user, 0)) &&
           (user == 0 || !failed(plan, "capset", drop_capabilities()));
}

static void do_nothing(int number)
{
    (void)number;
}

/* A child that is stopped before its exec holds init in its vfork until CONT, for whatever comes meanwhile, and nobody
 * knows to send that: a ^Z in this moment has no effect. Handlers end with the exec (execve(2)); what is ignored stays
 * ignored. STOP cannot be helped. */
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
        raw(SYS_rt_sigaction, stops[i], (long)&nothing, (long)&inherited, SIGNAL_SET_BYTES);
        if (inherited.handler == SIG_IGN) {
            raw(SYS_rt_sigaction, stops[i], (long)&inherited, 0, SIGNAL_SET_BYTES);
        }
    }
}

/* The child. Its last act before the exec is to open the mask: then its dispositions are the payload's. */
static int child(void *argument)
{
    struct plan *plan = argument;
    int pid = raw(SYS_getpid, 0, 0, 0, 0);
    if (take_place(plan, pid) && take_identity(plan)) {
        if (plan->death_signal != 0) { /* a change of identity would have cleared it */
            raw(SYS_prctl, PR_SET_PDEATHSIG, plan->death_signal, 0, 0);
        }
        if (plan->ignore_chld) {
            struct kernel_action ignore = {.handler = SIG_IGN};
            raw(SYS_rt_sigaction, SIGCHLD, (long)&ignore, 0, SIGNAL_SET_BYTES);
        }
        cannot_be_stopped();
        write_pid(plan->pid_texts, pid);
        raw(SYS_rt_sigprocmask, SIG_SETMASK, (long)&plan->mask, 0, SIGNAL_SET_BYTES);
        failed(plan, "exec", -search_and_execute(plan));
    }
    raw(SYS_exit, 127, 0, 0, 0);
    return 0;
}

pid_t pyinit_spawn(struct plan *plan)
{
    char stack[STACK] __attribute__((aligned(16)));
    pid_t pid = clone(child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, plan);
    if (pid < 0) {
        plan->step = "fork";
        plan->error = errno;
        return 0;
    }
    if (plan->step != NULL) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
        return 0;
    }
    return pid;
}
