/*
 * A machine that is the same everywhere, for compilers that run a program and keep its memory.
 *
 * componentize-py and componentize-qjs start the engine and the program with the clock, the entropy and the
 * files of the machine that they run on, and what was read of these stays in the image. Loaded before libc
 * (LD_PRELOAD), this answers instead: no randomness, a clock that moves only while somebody waits, files
 * without times, numbered by where they are, and folders in the order of their names. Entropy and clock are
 * libc's functions; for files, and some for entropy, a tool asks the kernel itself: these calls are trapped
 * (seccomp).
 *
 * Neighbours: `steady.py` compiles it and loads it. Source: man pages 2 and 3, and seccomp_filter.rst.
 * Invariant: an answer depends on what is asked and on what was asked before, never on when or where.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define EPOCH_S 315532800 /* 1 January 1980: the earliest that zip, tar and Python all take. */
#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull

/* Entropy */

ssize_t getrandom(void *buffer, size_t length, unsigned flags) {
    (void)flags;
    memset(buffer, 0x65, length);
    return (ssize_t)length;
}

/* Clock */

static uint64_t waited_ns;

int clock_gettime(clockid_t clock, struct timespec *now) {
    uint64_t waited = __atomic_load_n(&waited_ns, __ATOMIC_RELAXED);
    int is_of_day = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    now->tv_sec = (time_t)((is_of_day ? EPOCH_S : 1) + waited / NS_PER_S);
    now->tv_nsec = (long)(waited % NS_PER_S);
    return 0;
}

int epoll_wait(int epoll, struct epoll_event *events, int events_max, int timeout_ms) {
    int (*wait)(int, struct epoll_event *, int, int) = dlsym(RTLD_NEXT, "epoll_wait");
    int count = wait(epoll, events, events_max, timeout_ms);
    if (count == 0 && timeout_ms > 0) {
        __atomic_add_fetch(&waited_ns, (uint64_t)timeout_ms * NS_PER_MS, __ATOMIC_RELAXED);
    }
    return count;
}

/* Files. The sixth argument, which neither call has, tells our own from those that are trapped. */

#define OURS 0x57ead7

/* Where a file is, below the temporary folder that it is in, as a number (FNV-1a). */
static uint64_t number_of(int folder, const char *path) {
    char link[32] = "/proc/self/cwd", whole[2 * PATH_MAX] = "";
    if (folder != AT_FDCWD) snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t length = *path == '/' ? 0 : readlink(link, whole, PATH_MAX - 1);
    snprintf(whole + (length > 0 ? length : 0), PATH_MAX, "/%s", path);
    const char *below = whole;
    for (const char *part = whole; (part = strchr(part, '/')); part++) {
        if (!strncmp(part, "/tmp", 4) || !strncmp(part, "/.tmp", 5)) below = part + 1;
    }
    const char *inside = below == whole ? whole : strchr(below, '/');
    uint64_t number = 0xcbf29ce484222325ull;
    for (const char *at = inside ? inside : ""; *at; at++) {
        if (*at == '/' && (at[1] == '/' || !at[1])) continue; /* the same place, said otherwise */
        number = (number ^ (unsigned char)*at) * 0x100000001b3ull;
    }
    return number;
}

static long look(int folder, const char *path, long flags, long mask, struct statx *said) {
    long failed = syscall(SYS_statx, folder, path, flags, mask, said, OURS);
    if (failed) return -errno;
    struct statx_timestamp epoch = {.tv_sec = EPOCH_S};
    said->stx_atime = said->stx_btime = said->stx_ctime = said->stx_mtime = epoch;
    said->stx_ino = number_of(folder, path);
    said->stx_dev_major = said->stx_dev_minor = 0;
    said->stx_nlink = 1;
    if (S_ISDIR(said->stx_mode)) said->stx_size = said->stx_blocks = 0;
    return 0;
}

/* A folder's entries as the kernel writes them, sorted; kept from the first call to the last. */
struct entry {
    uint64_t inode;
    int64_t next;
    uint16_t length;
    uint8_t type;
    char name[];
};

struct listing {
    struct listing *next;
    int folder;
    char *bytes;
    struct entry **entries;
    size_t count, told;
};

static struct listing *listings;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int by_name(const void *one, const void *other) {
    return strcmp((*(struct entry *const *)one)->name, (*(struct entry *const *)other)->name);
}

static void forget(int folder) {
    for (struct listing **place = &listings; *place; place = &(*place)->next) {
        struct listing *found = *place;
        if (found->folder != folder) continue;
        *place = found->next;
        free(found->bytes);
        free(found->entries);
        free(found);
        return;
    }
}

static void *grown(void *memory, size_t bytes) {
    memory = realloc(memory, bytes);
    if (!memory) abort();
    return memory;
}

static struct listing *list(int folder) {
    struct listing *made = grown(NULL, sizeof *made);
    *made = (struct listing){.next = listings, .folder = folder};
    size_t size = 0, room = 1 << 15;
    for (long got = 1; got > 0; size += got > 0 ? (size_t)got : 0) {
        if (size) room *= 2;
        made->bytes = grown(made->bytes, room);
        got = syscall(SYS_getdents64, folder, made->bytes + size, room - size, 0, 0, OURS);
    }
    for (size_t at = 0; at < size; made->count++) {
        if (!(made->count % 64)) {
            made->entries = grown(made->entries, (made->count + 64) * sizeof *made->entries);
        }
        made->entries[made->count] = (struct entry *)(made->bytes + at);
        at += made->entries[made->count]->length;
    }
    if (made->count) qsort(made->entries, made->count, sizeof *made->entries, by_name);
    return listings = made;
}

static long read_folder(int folder, char *buffer, size_t room) {
    long size = 0;
    pthread_mutex_lock(&lock);
    if (lseek(folder, 0, SEEK_CUR) == 0) forget(folder);
    struct listing *found = listings;
    while (found && found->folder != folder) found = found->next;
    if (!found) found = list(folder);
    while (found->told < found->count) {
        struct entry *entry = found->entries[found->told];
        if ((size_t)size + entry->length > room) break;
        entry->next = (int64_t)++found->told;
        memcpy(buffer + size, entry, entry->length);
        size += entry->length;
    }
    if (!size) forget(folder);
    pthread_mutex_unlock(&lock);
    return size;
}

#if defined(__x86_64__)
#define MACHINE AUDIT_ARCH_X86_64
#define ARGUMENT(place) (context->uc_mcontext.gregs[(int[]){REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8}[place]])
#define RESULT context->uc_mcontext.gregs[REG_RAX]
#elif defined(__aarch64__)
#define MACHINE AUDIT_ARCH_AARCH64
#define ARGUMENT(place) (context->uc_mcontext.regs[place])
#define RESULT context->uc_mcontext.regs[0]
#endif

#ifdef MACHINE
static void answer(int signal, siginfo_t *trapped, void *interrupted) {
    (void)signal;
    ucontext_t *context = interrupted;
    int before = errno;
    long said;
    if (trapped->si_syscall == SYS_getrandom) {
        said = getrandom((void *)ARGUMENT(0), (size_t)ARGUMENT(1), 0);
    } else if (trapped->si_syscall == SYS_statx) {
        said = look((int)ARGUMENT(0), (const char *)ARGUMENT(1), (long)ARGUMENT(2), (long)ARGUMENT(3),
                    (struct statx *)ARGUMENT(4));
    } else {
        said = read_folder((int)ARGUMENT(0), (char *)ARGUMENT(1), (size_t)ARGUMENT(2));
    }
    RESULT = said;
    errno = before;
}

/* Only for a tool that starts no other program: those inherit the trap, and not always what answers it. */
__attribute__((constructor)) static void trap(void) {
    if (!getenv("EDGE_STEADY_FILES")) return;
    unsetenv("EDGE_STEADY_FILES"); /* a program may be shown the tool's environment */
    unsetenv("LD_PRELOAD");
    struct sigaction action = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART};
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 0, 6),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_statx, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getdents64, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OURS, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    };
    struct sock_fprog filter = {.len = sizeof steps / sizeof *steps, .filter = steps};
    if (sigaction(SIGSYS, &action, NULL) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return;
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter); /* where it may not, files are the machine's */
}
#endif
