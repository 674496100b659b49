/* double MICROSECONDS: a daemon that goes to the background by two forks, the second so much later. It ends at TERM. */
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc != 2)
        return 97;
    if (fork())
        return 0;
    usleep(atoi(argv[1]));
    if (fork())
        return 0;
    setsid();
    for (;;)
        pause();
}
