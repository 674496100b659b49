/* Counts the CPUID instructions of a program where the processor cannot make them a fault (tracer.c does it there).
 *
 *   stepper DESCRIPTOR COMMAND...
 *       Writes their number to DESCRIPTOR, of the command and all processes that it starts, to the end of the last.
 *
 * It lets them make one instruction at a time and looks at each before it is executed. That takes some microseconds
 * for each: a second for a program that is linked against libc, minutes for an interpreter.
 */
#define _GNU_SOURCE
#include "traced.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/user.h>

static int is_before_cpuid(pid_t pid)
{
    long place = ptrace(PTRACE_PEEKUSER, pid, (void *)offsetof(struct user_regs_struct, rip), NULL);

    return (ptrace(PTRACE_PEEKTEXT, pid, (void *)place, NULL) & 0xffff) == CPUID;
}

int main(int count, char **words)
{
    long cpuids = 0;
    int status;

    if (count < 3)
        errx(2, "stepper DESCRIPTOR COMMAND...");
    int result = atoi(words[1]);
    start_traced(result, words + 2, 0);

    pid_t pid;
    while ((pid = waitpid(-1, &status, __WALL)) > 0) {
        if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_STARTED)
            errx(1, "%s: cannot be started", words[2]);
        if (!WIFSTOPPED(status))
            continue;
        int number = WSTOPSIG(status), is_event = status >> 16 != 0;
        /* A signal comes between two steps: what is before its receiver then has been looked at already. */
        if (number == SIGTRAP && !is_event)
            cpuids += is_before_cpuid(pid);
        ptrace(PTRACE_SINGLESTEP, pid, NULL, (void *)(long)(number == SIGTRAP || number == SIGSTOP ? 0 : number));
    }
    dprintf(result, "%ld\n", cpuids);
    return 0;
}
