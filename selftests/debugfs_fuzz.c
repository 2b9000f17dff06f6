// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs_fuzz DIRECTORY SEED SECONDS: do to the files there all that a program
 * may, at any size and offset and with any bytes, while they come and go.
 *
 * Several processes open files at random and keep dozens of them open, so many
 * outlive the cache or pool that they are of.  Everything is drawn from the seed.
 *
 * What is wrong, and ends it with status 1: an error that neither mpslab nor the
 * VFS has a reason for (they are listed below), a write that is taken in part, a
 * read of more than was asked for, and anything but an error from a file whose
 * directory is gone.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES	4
#define OPEN_MAX_FILES	64
#define FILES_MAX	4096
#define LIST_EVERY	500
#define BUFFER		1048576

struct open_file {
	int fd;
	int flags;
	char path[PATH_MAX];
};

enum { OPENS, READS, WRITES, TAKEN, SEEKS, OTHERS, GONE, NR_COUNTS };

static const char * const count_names[NR_COUNTS] = {
	"opens", "reads", "writes", "writes taken", "seeks", "others",
	"files gone while open",
};

static struct open_file files[OPEN_MAX_FILES];
static char *paths[FILES_MAX];
static unsigned int nr_paths;
static unsigned long long state;
static unsigned long long operation;
static unsigned int process;
static unsigned char *buffer;

/* Shared with the other processes. */
static unsigned long long *counts;
static int *failed;

/* ------------------------------------------------------------------ numbers -- */

static unsigned int draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 16;
}

static unsigned int below(unsigned int bound)
{
	return draw() % bound;
}

static void count(int what)
{
	__atomic_add_fetch(&counts[what], 1, __ATOMIC_RELAXED);
}

static void fail(const char *fmt, ...)
{
	char what[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	printf("# process %u, operation %llu: %s\n", process,
	       operation, what);
	fflush(stdout);
	__atomic_store_n(failed, 1, __ATOMIC_RELAXED);
}

/* -------------------------------------------------------------------- bytes -- */

/*
 * Words that parsers know.  No number between four and ten digits: as the size of a
 * reserve it would take the machine's memory, as a delay its time.
 */
static const char * const words[] = {
	"0", "1", "2", "7", "16", "54", "300", "1024", "1025", "9999", "-1", "+1",
	"4294967295", "4294967296", "2147483647000", "18446744073709551616", "0x10",
	"off", "every=3", "every=1 times=9", "percent=40 seed=5", "nth=2",
	"delay_us=90", "fail=0", "comm=soak*", "comm=*", "caller=x", "module=mpslab",
	"pid=1", "times=0", "nth=", "every", "=", "on", "all", "none", ",", " ", "\t",
	"%s%n", "FZPU", "-", "U sample=3", "f", "sample=0",
	"\xd9\xa1", "\n", "\r", "../..",
};

static size_t some_words(void)
{
	unsigned int nr = below(2) ? 1 : 1 + below(4);
	size_t len = 0;
	const char *word;

	while (nr--) {
		word = words[below(sizeof(words) / sizeof(*words))];
		memcpy(buffer + len, word, strlen(word));
		len += strlen(word);
		if (nr && below(2))
			buffer[len++] = ' ';
	}
	if (below(2))
		buffer[len++] = '\n';
	return len;
}

static size_t some_size(void)
{
	static const size_t sizes[] = {
		0, 1, 2, 23, 24, 25, 255, 256, 257, 4095, 4096, 4097, 65536, BUFFER,
	};

	return sizes[below(sizeof(sizes) / sizeof(*sizes))];
}

/* Fill the buffer; returns how much of it is to be written. */
static size_t some_bytes(void)
{
	static const char same[] = { '0', '9', 'a', ' ', '\n', '\0' };
	size_t len, i;

	switch (below(8)) {
	case 0:
		len = some_size();
		for (i = 0; i < len; i += 4 + below(64))
			buffer[i] = draw();
		return len;
	case 1:
		len = some_size();
		memset(buffer, same[below(sizeof(same))], len);
		return len;
	case 2:	/* a byte is another */
		len = some_words();
		buffer[below(len)] = 1 + below(47);
		return len;
	default:
		return some_words();
	}
}

static off_t some_offset(void)
{
	static const off_t offsets[] = {
		0, 1, 2, 23, 255, 4095, 4096, 65536, INT_MAX, LLONG_MAX, -1, LLONG_MIN,
	};

	return offsets[below(sizeof(offsets) / sizeof(*offsets))];
}

/* -------------------------------------------------------------------- files -- */

static void list_files(const char *dir)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *d = opendir(dir);

	while (d && (entry = readdir(d)) && nr_paths < FILES_MAX) {
		/* The last are the kernel's own. */
		if (*entry->d_name == '.' ||
		    !strncmp(entry->d_name, "fail_", 5) ||
		    snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) >=
		    (int)sizeof(path))
			continue;
		if (entry->d_type == DT_DIR)
			list_files(path);
		else
			paths[nr_paths++] = strdup(path);
	}
	if (d)
		closedir(d);
}

static void list_again(const char *dir)
{
	while (nr_paths)
		free(paths[--nr_paths]);
	list_files(dir);
}

static bool is_one_of(int error, const int *errors)
{
	for (; *errors; errors++)
		if (error == *errors)
			return true;
	return false;
}

static void expect(const struct open_file *f, const char *what, int error,
		   const int *errors)
{
	if (!is_one_of(error, errors))
		fail("%s of %s: %s", what, f->path, strerror(error));
}

/*
 * Who finds no file by that name knows that the one he has open is gone, even if
 * another gets the name meanwhile.
 */
static bool is_gone(const struct open_file *f)
{
	return access(f->path, F_OK) && errno == ENOENT;
}

static void do_close(struct open_file *f)
{
	if (close(f->fd))
		fail("close of %s: %s", f->path, strerror(errno));
	f->fd = -1;
}

static void do_open(struct open_file *f)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };
	static const int errors[] = { ENOENT, EIO, ENOMEM, 0 };

	if (!nr_paths)
		return;
	f->flags = modes[below(3)];
	snprintf(f->path, sizeof(f->path), "%s", paths[below(nr_paths)]);
	f->fd = open(f->path, f->flags | (below(4) ? 0 : O_TRUNC) |
		     (below(4) ? 0 : O_APPEND) | (below(4) ? 0 : O_NONBLOCK));
	count(OPENS);
	if (f->fd < 0)
		expect(f, "open", errno, errors);
}

static void do_read(struct open_file *f)
{
	static const int errors[] = {
		EINVAL, EIO, ENOMEM, EFAULT, EBADF, EOVERFLOW, 0
	};
	static const int errors_gone[] = { EIO, EBADF, EINVAL, EOVERFLOW, 0 };
	bool gone = is_gone(f);
	void *to = below(16) ? buffer : NULL;
	size_t size = some_size();
	ssize_t got;

	if (below(2))
		got = read(f->fd, to, size);
	else
		got = pread(f->fd, to, size, some_offset());
	count(READS);
	if (gone)
		count(GONE);
	if (got < 0)
		expect(f, "read", errno, gone && size ? errors_gone : errors);
	else if (gone && size)
		fail("%s is gone, and %zd bytes are read", f->path, got);
	else if ((size_t)got > size)
		fail("%s: %zd bytes read, not %zu", f->path, got, size);
}

static void do_write(struct open_file *f)
{
	static const int errors[] = {
		EINVAL, ERANGE, EIO, ENOMEM, EFAULT, EBADF, EFBIG, EOVERFLOW,
		ESPIPE, 0
	};
	static const int errors_gone[] = {
		EIO, EBADF, EINVAL, EFBIG, EOVERFLOW, ESPIPE, 0
	};
	bool gone = is_gone(f);
	size_t size = some_bytes();
	void *from = below(16) ? buffer : NULL;
	ssize_t done;

	if (below(2))
		done = write(f->fd, from, size);
	else
		done = pwrite(f->fd, from, size, some_offset());
	count(WRITES);
	if (gone)
		count(GONE);
	if (done < 0) {
		expect(f, "write", errno, gone && size ? errors_gone : errors);
		return;
	}
	count(TAKEN);
	if (gone && size)
		fail("%s is gone, and %zd bytes are written", f->path, done);
	else if ((size_t)done != size)
		fail("%s: %zd bytes of %zu written", f->path, done, size);
}

static void do_seek(struct open_file *f)
{
	static const int errors[] = { EINVAL, EIO, ENOMEM, EOVERFLOW, ENXIO, ESPIPE, 0 };

	count(SEEKS);
	if (lseek(f->fd, some_offset(), below(5)) < 0)
		expect(f, "seek", errno, errors);
}

/* What these files do not offer at all. */
static void do_other(struct open_file *f)
{
	static const int errors[] = {
		EINVAL, EIO, ENOTTY, ENODEV, EACCES, EBADF, EPERM, EFBIG, 0
	};
	struct pollfd p = { .fd = f->fd, .events = POLLIN | POLLOUT };
	struct stat st;
	void *map;
	int err = 0;

	count(OTHERS);
	switch (below(6)) {
	case 0:
		err = ftruncate(f->fd, some_offset());
		break;
	case 1:
		map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, f->fd, 0);
		if (map != MAP_FAILED)
			fail("%s was mapped", f->path);
		break;
	case 2:
		err = ioctl(f->fd, draw(), buffer);
		break;
	case 3:
		err = poll(&p, 1, 0) < 0;
		break;
	case 4:
		err = fsync(f->fd);
		break;
	default:
		err = fstat(f->fd, &st);
	}
	if (err)
		expect(f, "another use", errno, errors);
}

static void one_operation(const char *dir)
{
	struct open_file *f = &files[below(OPEN_MAX_FILES)];
	unsigned int what = below(100);

	if (operation++ % LIST_EVERY == 0)
		list_again(dir);
	if (f->fd < 0)
		do_open(f);
	else if (what < 35)
		do_read(f);
	else if (what < 80)
		do_write(f);
	else if (what < 88)
		do_seek(f);
	else if (what < 92)
		do_other(f);
	else if (what < 95 || is_gone(f))
		do_close(f);
}

/* ---------------------------------------------------------------- processes -- */

static void fuzz(const char *dir, unsigned long long seed, time_t end)
{
	unsigned int i;

	state = (seed + process + 1) * 0x9e3779b97f4a7c15ULL;
	buffer = malloc(BUFFER + 4096);
	if (!buffer) {
		fail("no memory");
		return;
	}
	for (i = 0; i < OPEN_MAX_FILES; i++)
		files[i].fd = -1;
	while (time(NULL) < end && !__atomic_load_n(failed, __ATOMIC_RELAXED))
		one_operation(dir);
}

int main(int argc, char **argv)
{
	unsigned int i;
	time_t end;
	int status;

	if (argc != 4) {
		fprintf(stderr, "usage: %s DIRECTORY SEED SECONDS\n", argv[0]);
		return 2;
	}
	counts = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		return 2;
	failed = (int *)&counts[NR_COUNTS];
	end = time(NULL) + atoi(argv[3]);
	for (process = 0; process < PROCESSES; process++) {
		if (!fork()) {
			fuzz(argv[1], strtoull(argv[2], NULL, 0), end);
			return 0;
		}
	}
	for (i = 0; i < PROCESSES; i++)
		if (wait(&status) < 0 || status)
			*failed = 1;
	for (i = 0; i < NR_COUNTS; i++)
		printf("# %s: %llu\n", count_names[i],
		       counts[i]);
	/* Of everything there must be some, or nothing was tried. */
	for (i = 0; i < NR_COUNTS; i++)
		if (!counts[i])
			*failed = 1;
	return *failed;
}
