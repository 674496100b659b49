/* volley PID COUNT NUMBER...: sends COUNT signals to a process, the NUMBERs in turn, as fast as it can.
 *
 * Real-time signals are queued, and the kernel drops what is sent when the queue is full without a word (signal(7)): so
 * no more than WINDOW of them are on their way. /proc/PID/status tells how many are.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WINDOW = 1000, LOOK = 200, PAUSE = 100 /* microseconds */ };

static long queued(const char *path)
{
    char line[256];
    long found = -1;
    FILE *status = fopen(path, "r");
    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "SigQ: %ld", &found) == 1)
            break;
    if (status)
        fclose(status);
    return found;
}

int main(int argc, char **argv)
{
    char path[64];
    int queues = 0;
    if (argc < 4)
        return 97;
    pid_t target = atoi(argv[1]);
    long count = atol(argv[2]);
    snprintf(path, sizeof path, "/proc/%d/status", (int)target);
    for (int i = 3; i < argc; i++)
        queues |= atoi(argv[i]) >= 34;
    long before = queued(path);
    for (long sent = 0; sent < count; sent++) {
        if (queues && sent % LOOK == 0)
            while (queued(path) > before + WINDOW - LOOK)
                usleep(PAUSE);
        if (kill(target, atoi(argv[3 + sent % (argc - 3)]))) {
            perror("volley");
            return 98;
        }
    }
    return 0;
}
