/* A disk that fails, for any program: loaded before the C library (LD_PRELOAD).
 *
 * Counts the calls on files below FAIL_UNDER, over all processes that share the counter file
 * FAIL_COUNTER, and lets those from number FAIL_FROM on fail, FAIL_COUNT of them, with the error number
 * FAIL_ERROR; 0 means that a write takes one byte, and that other calls do their work.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *under;
static unsigned long from, count;
static int error_number;
static atomic_ulong *calls;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
    const char *counter = getenv("FAIL_COUNTER");
    under = getenv("FAIL_UNDER");
    if (!counter || !under)
        return;
    from = strtoul(getenv("FAIL_FROM"), NULL, 10);
    count = strtoul(getenv("FAIL_COUNT"), NULL, 10);
    error_number = atoi(getenv("FAIL_ERROR"));
    int fd = REAL(open)(counter, O_RDWR);
    if (fd < 0)
        return;
    void *shared = mmap(NULL, sizeof *calls, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (shared != MAP_FAILED)
        calls = shared;
}

/* Whether this call fails. */
static int fails(const char *path) {
    if (!calls || !path || strncmp(path, under, strlen(under)) != 0)
        return 0;
    unsigned long call = atomic_fetch_add(calls, 1);
    return call >= from && call - from < count;
}

static int fails_fd(int fd) {
    char link[64], path[PATH_MAX];
    if (!calls)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len < 0)
        return 0;
    path[len] = 0;
    return fails(path);
}

#define FAIL_IF(condition) \
    if ((condition) && error_number) { errno = error_number; return -1; }

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        mode_t mode = 0; \
        if (flags & (O_CREAT | O_TMPFILE)) { \
            va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); \
        } \
        FAIL_IF(fails(path)) \
        return REAL(name)(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

ssize_t write(int fd, const void *bytes, size_t size) {
    int failing = fails_fd(fd);
    FAIL_IF(failing)
    return REAL(write)(fd, bytes, failing && size > 1 ? 1 : size);
}

ssize_t read(int fd, void *bytes, size_t size) {
    FAIL_IF(fails_fd(fd))
    return REAL(read)(fd, bytes, size);
}

int fsync(int fd) {
    FAIL_IF(fails_fd(fd))
    return REAL(fsync)(fd);
}

int fdatasync(int fd) {
    FAIL_IF(fails_fd(fd))
    return REAL(fdatasync)(fd);
}

int ftruncate64(int fd, off64_t size) {
    FAIL_IF(fails_fd(fd))
    return REAL(ftruncate64)(fd, size);
}

int rename(const char *old, const char *new) {
    FAIL_IF(fails(old))
    return REAL(rename)(old, new);
}

int mkdir(const char *path, mode_t mode) {
    FAIL_IF(fails(path))
    return REAL(mkdir)(path, mode);
}

int unlink(const char *path) {
    FAIL_IF(fails(path))
    return REAL(unlink)(path);
}

int chmod(const char *path, mode_t mode) {
    FAIL_IF(fails(path))
    return REAL(chmod)(path, mode);
}
