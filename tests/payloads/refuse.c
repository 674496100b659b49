/* refuse CALL[-CALL]:ERRNO... -- COMMAND...: becomes COMMAND, for which these system calls fail as if forbidden.
 *
 * A seccomp filter, as container engines install one; calls and errors are x86-64 numbers.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { MOST = 300 };
static struct sock_filter rules[MOST];
static int count;

static void add(unsigned short code, unsigned jump_true, unsigned jump_false, unsigned value)
{
    if (count == MOST)
        _exit(96);
    rules[count++] = (struct sock_filter)BPF_JUMP(code, value, jump_true, jump_false);
}

int main(int argc, char **argv)
{
    int i;
    add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
    for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
        char *end;
        unsigned long first = strtoul(argv[i], &end, 10), last = *end == '-' ? strtoul(end + 1, &end, 10) : first;
        if (*end != ':')
            return 98;
        add(BPF_JMP | BPF_JGE | BPF_K, 0, 2, first);
        add(BPF_JMP | BPF_JGT | BPF_K, 1, 0, last);
        add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | strtoul(end + 1, NULL, 10));
    }
    add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
    struct sock_fprog filter = {count, rules};
    if (i + 1 >= argc)
        return 97;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0)) {
        perror("refuse: prctl");
        return 99;
    }
    execvp(argv[i + 1], argv + i + 1);
    perror(argv[i + 1]);
    return 99;
}
