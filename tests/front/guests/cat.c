/* cat: a command that writes its standard input to its standard output. */
#include <unistd.h>

int main(void) {
    static char buffer[65536];
    ssize_t size;
    while ((size = read(STDIN_FILENO, buffer, sizeof buffer)) > 0) {
        for (ssize_t done = 0; done < size;) {
            ssize_t written = write(STDOUT_FILENO, buffer + done, (size_t)(size - done));
            if (written < 0) return 1;
            done += written;
        }
    }
    return 0;
}
