/* Counts system calls of an init before its payload, and CPUID instructions of its whole run.
 *
 *   tracer DESCRIPTOR INIT... PAYLOAD WORD
 *       Writes a line to DESCRIPTOR: system calls from execve to the creation of the process that becomes the payload,
 *       that call included; CPUID instructions of all to the end (-1: this processor does not let us count them).
 *
 * Processors that can make CPUID a fault (arch_prctl(2), ARCH_SET_CPUID) let us see each one: it is executed here in
 * the program's place.
 */
#define _GNU_SOURCE
#include "traced.h"

#include <asm/prctl.h>
#include <cpuid.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/user.h>

#ifndef ARCH_SET_CPUID
#define ARCH_SET_CPUID 0x1012
#endif

enum { MOST_TASKS = 256 };

struct task {
    pid_t pid;
    int inside;           /* a system call */
    long calls_at_birth;  /* what had been counted when it was created */
};

static struct task tasks[MOST_TASKS];
static long calls, cpuids;
static int can_fault;

static struct task *task(pid_t pid)
{
    for (int each = 0; each < MOST_TASKS; each++)
        if (tasks[each].pid == pid || tasks[each].pid == 0) {
            if (tasks[each].pid == 0)
                /* A new one may stop before its parent's report of it; until then nothing else can have happened. */
                tasks[each] = (struct task){pid, 0, calls};
            return &tasks[each];
        }
    errx(1, "more than %d processes", MOST_TASKS);
}

/* Makes the stopped process execute a system call: with its own next bytes replaced for a moment. */
static long inject(pid_t pid, long number, long first, long second)
{
    struct user_regs_struct saved, changed;
    int status;

    ptrace(PTRACE_GETREGS, pid, NULL, &saved);
    long code = ptrace(PTRACE_PEEKTEXT, pid, (void *)saved.rip, NULL);
    ptrace(PTRACE_POKETEXT, pid, (void *)saved.rip, (void *)((code & ~0xffffL) | 0x050f));
    changed = saved;
    changed.rax = number;
    changed.orig_rax = -1;
    changed.rdi = first;
    changed.rsi = second;
    ptrace(PTRACE_SETREGS, pid, NULL, &changed);
    ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
    waitpid(pid, &status, __WALL);
    ptrace(PTRACE_GETREGS, pid, NULL, &changed);
    ptrace(PTRACE_POKETEXT, pid, (void *)saved.rip, (void *)code);
    ptrace(PTRACE_SETREGS, pid, NULL, &saved);
    return changed.rax;
}

/* A fault that is a CPUID: executes it in the program's place. */
static int was_cpuid(pid_t pid)
{
    struct user_regs_struct state;
    unsigned a, b, c, d;

    ptrace(PTRACE_GETREGS, pid, NULL, &state);
    if ((ptrace(PTRACE_PEEKTEXT, pid, (void *)state.rip, NULL) & 0xffff) != CPUID)
        return 0;
    __cpuid_count((unsigned)state.rax, (unsigned)state.rcx, a, b, c, d);
    state.rax = a;
    state.rbx = b;
    state.rcx = c;
    state.rdx = d;
    state.rip += 2;
    ptrace(PTRACE_SETREGS, pid, NULL, &state);
    cpuids++;
    return 1;
}

static int runs(pid_t pid, const char *program)
{
    char link[64], path[PATH_MAX];

    snprintf(link, sizeof link, "/proc/%d/exe", pid);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return strcmp(path, program) == 0;
}

int main(int count, char **words)
{
    long calls_until_payload = -1;
    int status;

    if (count < 5)
        errx(2, "tracer DESCRIPTOR INIT... PAYLOAD WORD");
    int result = atoi(words[1]);
    const char *payload = realpath(words[count - 2], NULL);
    start_traced(result, words + 2, PTRACE_O_TRACESYSGOOD);

    pid_t pid;
    while ((pid = waitpid(-1, &status, __WALL)) > 0) {
        if (!WIFSTOPPED(status))
            continue;
        struct task *it = task(pid);
        long deliver = 0;
        int event = status >> 16, number = WSTOPSIG(status);
        if (event == PTRACE_EVENT_EXEC) {
            if (runs(pid, payload))
                calls_until_payload = it->calls_at_birth;
            /* It is still inside execve: the call is over before another can be made in its place. */
            it->inside = 2;
        } else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
            unsigned long child;
            ptrace(PTRACE_GETEVENTMSG, pid, NULL, &child);
            task((pid_t)child)->calls_at_birth = calls;
        } else if (number == (SIGTRAP | 0x80)) {
            if (it->inside == 2) {
                can_fault = inject(pid, SYS_arch_prctl, ARCH_SET_CPUID, 0) == 0;
                it->inside = 0;
            } else {
                it->inside = !it->inside;
                calls += it->inside;
            }
        } else if (number == SIGSEGV && was_cpuid(pid)) {
            deliver = 0;
        } else if (number != SIGSTOP && number != SIGTRAP) {
            deliver = number;
        }
        ptrace(PTRACE_SYSCALL, pid, NULL, (void *)deliver);
    }
    if (calls_until_payload < 0)
        errx(1, "%s: the payload did not run", words[2]);
    dprintf(result, "%ld %ld\n", calls_until_payload, can_fault ? cpuids : -1);
    return 0;
}
