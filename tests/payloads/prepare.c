/* prepare WORD... -- COMMAND...: gets this process into a state that a test wants an init to inherit, becomes COMMAND.
 *
 *   block=N ignore=N default=N   a signal
 *   close=N                      a descriptor; open=N opens /dev/null as that one
 *   umask=OCTAL nice=N nofile=N  as they say
 *   cwd=DIR  rmcwd=DIR           change to DIR; and remove it
 *   hide=FILE                    /dev/null is mounted there (in a mount namespace of the test)
 *   raise=N                      a signal to itself, to be pending if it is blocked
 *   zombies=N  cloned=N          leave N ended children; made by clone(2), their end raises no signal
 *   env=TEXT                     one entry of the environment as it is (the first empties it); @PID@ is the own pid
 *   argument=N                   after COMMAND's own words, one more of N bytes
 *
 * In C, because an interpreter changes what it is to hand on: SIGPIPE, the environment, descriptors.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void fail(const char *what)
{
    perror(what);
    _exit(99);
}

static void set_blocked(int number)
{
    /* Raw: libc's own calls leave out 32 and 33. */
    unsigned long long mask = 1ULL << (number - 1);
    if (syscall(SYS_rt_sigprocmask, SIG_BLOCK, &mask, NULL, sizeof mask))
        fail("rt_sigprocmask");
}

static void set_open(int number)
{
    int opened = open("/dev/null", O_RDWR);
    if (opened < 0 || (opened != number && (dup2(opened, number) < 0 || close(opened))))
        fail("open");
}

static void add_environment(const char *text)
{
    static char *entries[5000];
    static int count;
    char *mark = strstr(text, "@PID@"), *entry = malloc(strlen(text) + 32);
    if (mark)
        sprintf(entry, "%.*s%d%s", (int)(mark - text), text, (int)getpid(), mark + 5);
    else
        strcpy(entry, text);
    entries[count++] = entry;
    environ = entries;
}

static void hide(const char *path)
{
    char *real = realpath(path, NULL);
    if (!real || mount("/dev/null", real, NULL, MS_BIND, NULL))
        fail(path);
}

static void leave_zombies(int count, int exit_signal)
{
    while (count-- > 0) {
        siginfo_t info;
        long child = syscall(SYS_clone, exit_signal, 0, 0, 0, 0);
        if (child == 0)
            _exit(17);
        /* WNOWAIT: it has ended for certain, and is still there. */
        if (child < 0 || waitid(P_PID, child, &info, WEXITED | WNOWAIT | __WALL))
            fail("clone");
    }
}

static char **with_argument(char **words, int count, int size)
{
    char **longer = calloc(count + 2, sizeof *longer);
    memcpy(longer, words, count * sizeof *words);
    longer[count] = malloc(size + 1);
    memset(longer[count], 'x', size);
    longer[count][size] = 0;
    return longer;
}

int main(int argc, char **argv)
{
    int i, argument = -1;
    for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
        char *value = strchr(argv[i], '=');
        if (!value)
            return 98;
        *value++ = 0;
        int number = atoi(value);
        const char *word = argv[i];
        if (!strcmp(word, "block"))
            set_blocked(number);
        else if (!strcmp(word, "ignore"))
            signal(number, SIG_IGN);
        else if (!strcmp(word, "default"))
            signal(number, SIG_DFL);
        else if (!strcmp(word, "close"))
            close(number);
        else if (!strcmp(word, "open"))
            set_open(number);
        else if (!strcmp(word, "umask"))
            umask(strtol(value, NULL, 8));
        else if (!strcmp(word, "nice")) {
            if (setpriority(PRIO_PROCESS, 0, number))
                fail("setpriority");
        } else if (!strcmp(word, "nofile")) {
            struct rlimit limit = {number, number};
            if (setrlimit(RLIMIT_NOFILE, &limit))
                fail("setrlimit");
        } else if (!strcmp(word, "cwd") || !strcmp(word, "rmcwd")) {
            if (chdir(value) || (word[0] == 'r' && rmdir(value)))
                fail(value);
        } else if (!strcmp(word, "hide"))
            hide(value);
        else if (!strcmp(word, "raise"))
            raise(number);
        else if (!strcmp(word, "zombies"))
            leave_zombies(number, SIGCHLD);
        else if (!strcmp(word, "cloned"))
            leave_zombies(number, 0);
        else if (!strcmp(word, "env"))
            add_environment(value);
        else if (!strcmp(word, "argument"))
            argument = number;
        else
            return 98;
    }
    if (i + 1 >= argc)
        return 97;
    char **command = argv + i + 1;
    if (argument >= 0)
        command = with_argument(command, argc - i - 1, argument);
    execvp(command[0], command);
    fail(command[0]);
}
