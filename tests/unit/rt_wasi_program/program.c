/* What an ordinary program asks of the system, through wasi-libc.  Prints what it got; nothing of it may differ between
 * runs or machines. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int compare(const void *a, const void *b) {
    return strcmp(a, b);
}

static void list(const char *path) {
    char names[64][32];
    size_t n = 0;
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d)) && n < 64;) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            strcpy(names[n++], e->d_name);
        }
    }
    if (d) {
        closedir(d);
    }
    qsort(names, n, sizeof names[0], compare);
    printf("%s:", path);
    for (size_t i = 0; i < n; i++) {
        printf(" %s", names[i]);
    }
    printf("\n");
}

static void try_open(const char *path, int flags) {
    int fd = open(path, flags, 0666);
    printf("open %s: %s\n", path, fd < 0 ? strerror(errno) : "yes");
    if (fd >= 0) {
        close(fd);
    }
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        printf("argument %d: [%s]\n", i, argv[i]);
    }
    printf("COLOUR=%s HOME=%s\n", getenv("COLOUR"), getenv("HOME") ? "set" : "unset");

    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        printf("stdin: %s", line);
    }

    mkdir("made", 0777);
    FILE *f = fopen("made/text", "w+");
    for (int i = 0; i < 10000; i++) {
        fprintf(f, "%d\n", i);
    }
    fseek(f, -5, SEEK_END);
    printf("last: %s", fgets(line, sizeof line, f));
    rewind(f);
    printf("first: %s", fgets(line, sizeof line, f));
    ftruncate(fileno(f), 10);
    fclose(f);
    struct stat st;
    stat("made/text", &st);
    printf("size %d, folder %d\n", (int)st.st_size, S_ISDIR(st.st_mode));
    f = fopen("made/text", "a");
    fputs("more\n", f);
    fclose(f);
    link("made/text", "made/hard");
    symlink("text", "made/soft");
    rename("made/hard", "made/moved");
    stat("made/soft", &st);
    printf("size %d, links %d\n", (int)st.st_size, (int)st.st_nlink);
    lstat("made/soft", &st);
    printf("link %d\n", S_ISLNK(st.st_mode));
    printf("readlink %d\n", (int)readlink("made/soft", line, sizeof line));
    list(".");
    list("made");
    try_open("made", O_RDONLY | O_DIRECTORY);
    try_open("made", O_WRONLY);
    try_open("made/none", O_RDONLY);
    try_open("made/text", O_CREAT | O_EXCL | O_WRONLY);
    try_open("../outside", O_RDONLY);
    try_open("made/../../outside", O_RDONLY);
    try_open("escape", O_RDONLY);
    try_open("/etc/passwd", O_RDONLY);
    try_open("/fixed/data", O_RDONLY);
    try_open("/fixed/../fixed/data", O_RDONLY);
    printf("rmdir: %s\n", rmdir("made") ? strerror(errno) : "yes");
    unlink("made/text");
    unlink("made/moved");
    unlink("made/soft");
    printf("rmdir: %s\n", rmdir("made") ? strerror(errno) : "yes");

    struct timespec a, b, pause = {0, 2000000};
    clock_gettime(CLOCK_MONOTONIC, &a);
    nanosleep(&pause, NULL);
    clock_gettime(CLOCK_MONOTONIC, &b);
    printf("slept %d\n", (b.tv_sec - a.tv_sec) * 1000000000LL + b.tv_nsec - a.tv_nsec >= 2000000);
    printf("year %d\n", time(NULL) > 1700000000);
    unsigned char r[32] = {0}, zero[32] = {0};
    getentropy(r, sizeof r);
    printf("random %d\n", memcmp(r, zero, sizeof r) != 0);
    struct pollfd p = {1, POLLOUT, 0};
    printf("poll %d\n", poll(&p, 1, 1000));
    fprintf(stderr, "to stderr\n");
    exit(42);
}
