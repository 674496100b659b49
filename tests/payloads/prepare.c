/* prepare WORD... -- COMMAND...: gets this process into a state that a test wants an init to inherit, becomes COMMAND.
 *
 *   block=N ignore=N default=N   a signal
 *   close=N                      a descriptor; open=N opens /dev/null as that one
 *   umask=OCTAL nice=N user=N    as they say; user: with the group of that number, and no others
 *   limit=RESOURCE:N             RLIMIT_..., soft and hard
 *   rmcwd=TEMPLATE               make a directory (mkdtemp(3)), change to it, remove it
 *   hide=FILE                    /dev/null is mounted there (in a mount namespace of the test)
 *   raise=N                      a signal to itself, to be pending if it is blocked
 *   zombies=N  cloned=N          leave N ended children; made by clone(2), their end raises no signal
 *   env=TEXT                     one entry of the environment as it is (the first empties it); @PID@ is the own pid
 *   bulk=N                       N kilobytes more of it: bytes 1 to 255, duplicates, entries without "="
 *   argument=N                   after COMMAND's own words, one more of N bytes
 *   argv0=TEXT argv0-size=N      what COMMAND gets instead of its first word: TEXT, N bytes
 *   no-arguments=1               it gets no word at all
 *
 * In C, because an interpreter changes what it is to hand on: SIGPIPE, the environment, descriptors.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
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

static void set_ignored(int number)
{
    /* The same; the kernel's structure begins with the handler. */
    void (*action[4])(int) = {SIG_IGN};
    if (number != SIGKILL && number != SIGSTOP && syscall(SYS_rt_sigaction, number, action, NULL, 8))
        fail("rt_sigaction");
}

static void set_user(int number)
{
    if (setgroups(0, NULL) || setresgid(number, number, number) || setresuid(number, number, number))
        fail("setresuid");
}

static void set_limit(const char *text)
{
    char *value;
    int resource = strtol(text, &value, 10);
    struct rlimit limit = {atol(value + 1), atol(value + 1)};
    if (setrlimit(resource, &limit))
        fail("setrlimit");
}

static void set_open(int number)
{
    int opened = open("/dev/null", O_RDWR);
    if (opened < 0 || (opened != number && (dup2(opened, number) < 0 || close(opened))))
        fail("open");
}

static void add_entry(char *entry)
{
    static char *entries[20000];
    static int count;
    entries[count++] = entry;
    environ = entries;
}

static void add_environment(const char *text)
{
    char *mark = strstr(text, "@PID@"), *entry = malloc(strlen(text) + 32);
    if (mark)
        sprintf(entry, "%.*s%d%s", (int)(mark - text), text, (int)getpid(), mark + 5);
    else
        strcpy(entry, text);
    add_entry(entry);
}

static void add_bulk(long kilobytes)
{
    enum { SIZE = 1024 };
    for (long i = 0; i < kilobytes; i++) {
        unsigned char *entry = malloc(SIZE);
        /* Every third has a name that others have too, every third has none but a value, every third no "=". */
        int length = sprintf((char *)entry, i % 3 == 0 ? "SAME=%ld " : i % 3 == 1 ? "=%ld " : "%ld ", i);
        for (; length < SIZE - 1; length++)
            entry[length] = i % 3 == 2 && length % 255 + 1 == '=' ? '-' : length % 255 + 1;
        entry[length] = 0;
        add_entry((char *)entry);
    }
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

static char *of_size(int size)
{
    char *text = malloc(size + 1);
    memset(text, 'x', size);
    text[size] = 0;
    return text;
}

static char **with_argument(char **words, int count, int size)
{
    char **longer = calloc(count + 2, sizeof *longer);
    memcpy(longer, words, count * sizeof *words);
    longer[count] = of_size(size);
    return longer;
}

int main(int argc, char **argv)
{
    int i, argument = -1;
    bool no_arguments = false;
    char *first = NULL;
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
            set_ignored(number);
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
        } else if (!strcmp(word, "user"))
            set_user(number);
        else if (!strcmp(word, "limit"))
            set_limit(value);
        else if (!strcmp(word, "rmcwd")) {
            if (!mkdtemp(value) || chdir(value) || rmdir(value))
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
        else if (!strcmp(word, "bulk"))
            add_bulk(number);
        else if (!strcmp(word, "argument"))
            argument = number;
        else if (!strcmp(word, "argv0"))
            first = value;
        else if (!strcmp(word, "argv0-size"))
            first = of_size(number);
        else if (!strcmp(word, "no-arguments"))
            no_arguments = true;
        else
            return 98;
    }
    if (i + 1 >= argc)
        return 97;
    char **command = argv + i + 1;
    if (argument >= 0)
        command = with_argument(command, argc - i - 1, argument);
    char *program = command[0], *none[] = {NULL};
    if (first)
        command[0] = first;
    execvp(program, no_arguments ? none : command);
    fail(program);
}
