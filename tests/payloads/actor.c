/* actor: a payload that does what it is told, line by line on standard input, and answers each line with one line.
 *
 *   took            "took N N ...": the signals taken since this was last asked, in their order; the last 4096
 *   counts          "counts N:COUNT ...": all that were taken since the start
 *   vanish COUNT    makes so many orphans, which end at once, in batches of ten; "done"
 *   orphan          makes an orphan that ignores every signal: "orphan PID"; `away`: in a session of its own
 *   neglect COUNT   makes so many children, which end at once, and does not wait for them; "done"
 *   exit CODE       ends, without an answer; so does end of file, with 0
 *   die NUMBER      is killed by that signal, sent by itself, without an answer
 *
 * It says "ready" first. Signals are taken only when it reads them: none of them interrupts or ends it.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BATCH = 10, KEPT = 4096 };

static sigset_t all;
static long counts[65];
static unsigned char kept[KEPT];
static unsigned long taken, told;

static void take(int source)
{
    static struct signalfd_siginfo infos[128];
    ssize_t size;
    while ((size = read(source, infos, sizeof infos)) > 0)
        for (size_t i = 0; i < size / sizeof *infos; i++) {
            int number = infos[i].ssi_signo;
            /* The ends of its own children are its own business. */
            if (number == SIGCHLD && infos[i].ssi_code != SI_USER)
                continue;
            counts[number]++;
            kept[taken++ % KEPT] = number;
        }
}

static void say_taken(void)
{
    if (taken - told > KEPT)
        told = taken - KEPT;
    fputs("took", stdout);
    for (; told < taken; told++)
        printf(" %d", kept[told % KEPT]);
    putchar('\n');
}

static void say_counts(void)
{
    fputs("counts", stdout);
    for (int number = 1; number < 65; number++)
        if (counts[number])
            printf(" %d:%ld", number, counts[number]);
    putchar('\n');
}

static void end_at_once(int count)
{
    while (count-- > 0) {
        pid_t child = vfork();
        if (child == 0)
            _exit(0);
        if (child < 0)
            _exit(99);
    }
}

/* An orphan is a grandchild whose parent has ended. */
static void vanish(long count)
{
    for (; count > 0; count -= BATCH) {
        int status;
        pid_t parent = fork();
        if (parent == 0) {
            end_at_once(count < BATCH ? count : BATCH);
            _exit(0);
        }
        if (waitpid(parent, &status, 0) != parent || status)
            exit(98);
    }
}

static void ignore_everything(void)
{
    for (int number = 1; number < 65; number++)
        signal(number, SIG_IGN);
    /* Blocked, they would be queued though they are ignored. */
    sigprocmask(SIG_UNBLOCK, &all, NULL);
}

static pid_t orphan(int away)
{
    int report[2], status;
    pid_t found = 0;
    if (pipe(report))
        exit(97);
    pid_t parent = fork();
    if (parent == 0) {
        if (fork())
            _exit(0);
        ignore_everything();
        if (away)
            setsid();
        found = getpid();
        if (write(report[1], &found, sizeof found) != sizeof found)
            _exit(96);
        close(report[0]);
        close(report[1]);
        /* Whoever waits for the end of a pipe does not wait for this one. */
        close(0);
        close(1);
        close(2);
        for (;;)
            pause();
    }
    if (waitpid(parent, &status, 0) != parent || status || read(report[0], &found, sizeof found) != sizeof found)
        exit(95);
    close(report[0]);
    close(report[1]);
    return found;
}

static void die(int number)
{
    signal(number, SIG_DFL);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    exit(94);
}

static void obey(char *line)
{
    char *word = strtok(line, " \n"), *argument = strtok(NULL, " \n");
    int number = argument ? atoi(argument) : 0;
    if (!word)
        exit(93);
    if (!strcmp(word, "took"))
        say_taken();
    else if (!strcmp(word, "counts"))
        say_counts();
    else if (!strcmp(word, "orphan"))
        printf("orphan %d\n", (int)orphan(argument && !strcmp(argument, "away")));
    else if (!strcmp(word, "exit"))
        exit(number);
    else if (!strcmp(word, "die"))
        die(number);
    else if (!strcmp(word, "vanish") || !strcmp(word, "neglect")) {
        if (!strcmp(word, "vanish"))
            vanish(number);
        else
            end_at_once(number);
        puts("done");
    } else
        exit(92);
}

int main(void)
{
    char line[64];
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    struct pollfd watched[] = {{0, POLLIN, 0}, {signalfd(-1, &all, SFD_NONBLOCK), POLLIN, 0}};
    setvbuf(stdin, NULL, _IONBF, 0);
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("ready");
    while (poll(watched, 2, -1) > 0) {
        take(watched[1].fd);
        if (!watched[0].revents)
            continue;
        if (!fgets(line, sizeof line, stdin))
            return 0;
        /* What was sent before the line was written counts as well. */
        take(watched[1].fd);
        obey(line);
    }
    return 91;
}
