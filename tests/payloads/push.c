/* push WORDS: puts these into the terminal's input, and a new line, as if they were typed; 0, or the errno. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const char *words = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i <= strlen(words); i++) {
        char each = words[i] ? words[i] : '\n';
        if (ioctl(STDIN_FILENO, TIOCSTI, &each))
            return errno;
    }
    return 0;
}
