/* execvp WORD...: libc's execvp(3) of these words; if that fails, its errno, as a line. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc < 2)
        return 97;
    execvp(argv[1], argv + 1);
    printf("errno %d\n", errno);
    return 1;
}
