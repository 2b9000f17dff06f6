// SPDX-License-Identifier: GPL-2.0
/*
 * An example of a client, and a load for the demonstration and the tests.
 *
 * It does what a block driver does.  A thread on every CPU takes requests from a
 * pool whose reserve makes sure that I/O goes on without memory, and submits
 * them; another CPU completes them, in softirq or right in the interrupt, and
 * frees them there.  A bounded number is in flight for each CPU.
 *
 *	cache     requests of one size, constructed once
 *	pool      a reserve of them, over the cache
 *	thread    reserve a place in flight -> allocate -> stamp -> send
 *	softirq   check the stamps -> free -> give the place back -> wake the thread
 *
 * Controls are in /sys/kernel/debug/mpslab_client:
 *
 *	load     requests in flight for each CPU; 0 stops
 *	backend  "open", or "fail": the pool's backend gives nothing, so that only
 *	         the reserve serves
 *	hold     elements to take out of the pool and keep, up to its reserve
 *	stats    what was done, and what went wrong
 *	pool_name, extra_create, extra_pool, extra_leak, extra_mistake,
 *	extra_destroy
 *	         for the tests of names, set-up, mistakes and destruction; see the end
 */
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/llist.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/sched/prio.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/smp.h>
#include <linux/smpboot.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "mpslab.h"

#define LOAD_MAX	4096U
#define NAME_LEN	256
#define EXTRAS_MAX	32
#define LEAKS_MAX	64

static unsigned int reserve = 32;
module_param(reserve, uint, 0444);
MODULE_PARM_DESC(reserve, "Requests in the pool's reserve");

static unsigned int payload = 256;
module_param(payload, uint, 0444);
MODULE_PARM_DESC(payload, "Bytes that each request carries");

/* ------------------------------------------------------------ the structures -- */

enum request_state { REQUEST_IDLE = 0x1d1e, REQUEST_BUSY = 0xb059 };

/**
 * struct request - what is submitted
 * @done: link on the completing CPU's list
 * @from: who submitted it
 * @serial: which of his
 * @state: idle while it is free, which its constructor saw to; so a request that
 *	is handed out twice gives itself away
 * @payload: all bytes say the serial number while it is busy
 */
struct request {
	struct llist_node done;
	struct submitter *from;
	u64 serial;
	enum request_state state;
	u8 payload[];
};

/**
 * struct submitter - one CPU's submitting half; only its thread writes it but
 *	for @in_flight
 * @task: the thread; a reference of our own, because completions may wake it
 *	when it has ended
 * @in_flight: places taken
 * @serial: of the latest request
 * @longest_ns: the longest allocation
 * @last_cpu: where the latest request was sent
 */
struct submitter {
	struct task_struct *task;
	atomic_t in_flight;
	u64 serial;
	u64 longest_ns;
	unsigned int last_cpu;
};

/**
 * struct completer - one CPU's completing half
 * @done: requests to be completed here
 * @csd: the interrupt that says so, sent by whoever finds @done empty
 * @softirq: what the interrupt leaves the work to, most of the time
 * @raise: its schedule, see completer_interrupt()
 * @interrupts: how many came
 */
struct completer {
	struct llist_head done;
	call_single_data_t csd;
	struct tasklet_struct softirq;
	struct irq_work raise;
	unsigned int interrupts;
};

struct counts {
	u64 submitted;
	u64 completed;
	u64 softirq;
	u64 hardirq;
	u64 remote;
	u64 backend_failed;
	u64 alloc_failed;
	u64 stamp_errors;
};

static DEFINE_PER_CPU(struct submitter, submitters);
static DEFINE_PER_CPU(struct completer, completers);
static DEFINE_PER_CPU(struct counts, counts);

static struct mpslab_cache *request_cache;
static struct mpslab_pool *request_pool;
static struct dentry *dir;

static unsigned int load;	/* requests in flight for each CPU */
static bool backend_fails;

/* ------------------------------------------------------- the pool's backend -- */

/* A driver would simply use mpslab_pool_create_slab_pool(). */
static void *backend_alloc(gfp_t gfp, void *pool_data)
{
	void *rq = NULL;

	if (!READ_ONCE(backend_fails))
		rq = mpslab_cache_alloc(pool_data, gfp);
	if (!rq)
		this_cpu_inc(counts.backend_failed);
	return rq;
}

static void backend_free(void *element, void *pool_data)
{
	mpslab_cache_free(pool_data, element);
}

static void request_construct(void *obj)
{
	struct request *rq = obj;

	rq->state = REQUEST_IDLE;
}

/* -------------------------------------------------------------- completion -- */

static void stamp(struct request *rq, struct submitter *from)
{
	if (rq->state != REQUEST_IDLE)
		this_cpu_inc(counts.stamp_errors);
	rq->state = REQUEST_BUSY;
	rq->from = from;
	rq->serial = ++from->serial;
	memset(rq->payload, (u8)rq->serial, payload);
}

static bool stamp_is_right(const struct request *rq)
{
	return rq->state == REQUEST_BUSY &&
	       !memchr_inv(rq->payload, (u8)rq->serial, payload);
}

static void complete_request(struct request *rq)
{
	struct submitter *from = rq->from;

	if (!stamp_is_right(rq))
		this_cpu_inc(counts.stamp_errors);
	rq->state = REQUEST_IDLE;
	mpslab_pool_free(rq, request_pool);

	this_cpu_inc(counts.completed);
	if (in_hardirq())
		this_cpu_inc(counts.hardirq);
	else
		this_cpu_inc(counts.softirq);
	if (from != this_cpu_ptr(&submitters))
		this_cpu_inc(counts.remote);

	/* Once per batch: when half of the places are free again. */
	if (atomic_dec_return(&from->in_flight) == READ_ONCE(load) / 2)
		wake_up_process(from->task);
}

static void complete_list(struct completer *c)
{
	struct llist_node *list = llist_del_all(&c->done);
	struct request *rq, *next;

	llist_for_each_entry_safe(rq, next, list, done)
		complete_request(rq);
}

/*
 * The tasklet's own completer, not this CPU's: a tasklet of a CPU that went
 * offline runs elsewhere.
 */
static void completer_softirq(struct tasklet_struct *t)
{
	complete_list(container_of(t, struct completer, softirq));
}

static void completer_raise(struct irq_work *raise)
{
	tasklet_schedule(&container_of(raise, struct completer, raise)->softirq);
}

/*
 * In the interrupt; every eighth time the work is done right here.  Else it takes
 * an interrupt more: an idle CPU on PREEMPT_RT makes the calls of others as a task,
 * and warns of one that raises a softirq.
 */
static void completer_interrupt(void *info)
{
	struct completer *c = info;

	if (c->interrupts++ % 8)
		irq_work_queue(&c->raise);
	else
		complete_list(c);
}

/* -------------------------------------------------------------- submission -- */

/* To each online CPU in turn.  With preemption off, none goes offline. */
static void send_request(struct submitter *s, struct request *rq)
{
	struct completer *c;
	unsigned int cpu;

	preempt_disable();
	/* Others may come just now. */
	cpu = data_race(cpumask_next(s->last_cpu, cpu_online_mask));
	if (cpu >= nr_cpu_ids)
		cpu = data_race(cpumask_first(cpu_online_mask));	/* likewise */
	s->last_cpu = cpu;
	c = per_cpu_ptr(&completers, cpu);
	if (llist_add(&rq->done, &c->done))
		smp_call_function_single_async(cpu, &c->csd);
	preempt_enable();
}

/*
 * GFP_NOIO, because we are the I/O.  As it may sleep, this never fails: without
 * memory it waits for a request to be completed.
 */
static struct request *get_request(struct submitter *s)
{
	u64 start = ktime_get_ns();
	struct request *rq = mpslab_pool_alloc(request_pool, GFP_NOIO);
	u64 took = ktime_get_ns() - start;

	if (took > s->longest_ns)
		WRITE_ONCE(s->longest_ns, took);
	return rq;
}

static void submit_one(struct submitter *s)
{
	struct request *rq;

	atomic_inc(&s->in_flight);
	rq = get_request(s);
	if (!rq) {
		this_cpu_inc(counts.alloc_failed);
		atomic_dec(&s->in_flight);
		return;
	}
	stamp(rq, s);
	this_cpu_inc(counts.submitted);
	send_request(s, rq);
}

static int submitter_should_run(unsigned int cpu)
{
	return atomic_read(&per_cpu(submitters, cpu).in_flight) <
	       READ_ONCE(load);
}

static void submitter_run(unsigned int cpu)
{
	while (submitter_should_run(cpu) && !kthread_should_park()) {
		submit_one(per_cpu_ptr(&submitters, cpu));
		cond_resched();
	}
}

/* Nice, so that whoever watches the load gets to see it. */
static void submitter_setup(unsigned int cpu)
{
	set_user_nice(current, MAX_NICE);
	per_cpu(submitters, cpu).task = get_task_struct(current);
}

/* The kernel keeps one on each CPU, and parks it while the CPU is offline. */
static DEFINE_PER_CPU(struct task_struct *, submitter_tasks);
static struct smp_hotplug_thread submitter_threads = {
	.store			= &submitter_tasks,
	.setup			= submitter_setup,
	.thread_should_run	= submitter_should_run,
	.thread_fn		= submitter_run,
	.thread_comm		= "mpslab_io/%u",
};

static void set_load(unsigned int nr)
{
	int cpu;

	WRITE_ONCE(load, nr);
	for_each_possible_cpu(cpu)
		if (per_cpu(submitters, cpu).task)
			wake_up_process(per_cpu(submitters, cpu).task);
}

static unsigned int total_in_flight(void)
{
	unsigned int sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += atomic_read(&per_cpu(submitters, cpu).in_flight);
	return sum;
}

/* ---------------------------------------------------------- start and stop -- */

static void completers_init(void)
{
	struct completer *c;
	int cpu;

	for_each_possible_cpu(cpu) {
		c = per_cpu_ptr(&completers, cpu);
		init_llist_head(&c->done);
		INIT_CSD(&c->csd, completer_interrupt, c);
		tasklet_setup(&c->softirq, completer_softirq);
		c->raise = IRQ_WORK_INIT_HARD(completer_raise);
	}
}

static void put_submitters(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (per_cpu(submitters, cpu).task)
			put_task_struct(per_cpu(submitters, cpu).task);
}

static int start(void)
{
	int err = -ENOMEM;

	completers_init();
	request_cache = mpslab_cache_create("mpslab_request",
					    sizeof(struct request) + payload,
					    0, SLAB_HWCACHE_ALIGN,
					    request_construct);
	if (!request_cache)
		return -ENOMEM;
	request_pool = mpslab_pool_create(reserve, backend_alloc, backend_free,
					  request_cache);
	if (!request_pool)
		goto no_pool;
	/* The name is for people only, so failure is none of ours. */
	mpslab_pool_set_name(request_pool, "mpslab_request");
	err = smpboot_register_percpu_thread(&submitter_threads);
	if (err)
		goto no_threads;
	return 0;

no_threads:
	put_submitters();
	mpslab_pool_destroy(request_pool);
no_pool:
	mpslab_cache_destroy(request_cache);
	return err;
}

/* The reverse: no new requests, no old ones, then the pool, then the cache. */
static void nothing(void *unused)
{
}

static void stop(void)
{
	int cpu;

	set_load(0);
	smpboot_unregister_percpu_thread(&submitter_threads);
	while (total_in_flight())
		msleep(20);
	/*
	 * The last completion may still be at work in its interrupt, or its
	 * interrupt on its way: calls of a CPU come in order, so this one waits.
	 */
	on_each_cpu(nothing, NULL, 1);
	for_each_possible_cpu(cpu) {
		irq_work_sync(&per_cpu(completers, cpu).raise);
		tasklet_kill(&per_cpu(completers, cpu).softirq);
	}
	put_submitters();
	mpslab_pool_destroy(request_pool);
	mpslab_cache_destroy(request_cache);
}

/* ---------------------------------------------------------------- controls -- */

static DEFINE_MUTEX(control_mutex);

static void **held;		/* under control_mutex, as all below */
static unsigned int nr_held;

static struct mpslab_cache *extra[EXTRAS_MAX];
static unsigned int nr_extra;
static struct mpslab_pool *extra_pool;	/* over the last of them */
static unsigned long leaked[LEAKS_MAX];	/* from the last of them; see leak() */
static unsigned int nr_leaked;

/* A word from user space, without the newline that echo adds. */
static int read_text(const char __user *buf, size_t count, char text[NAME_LEN])
{
	if (!count || count >= NAME_LEN)
		return -EINVAL;
	if (copy_from_user(text, buf, count))
		return -EFAULT;
	text[count] = '\0';
	if (text[count - 1] == '\n')
		text[count - 1] = '\0';
	return 0;
}

static int load_get(void *data, u64 *val)
{
	*val = READ_ONCE(load);
	return 0;
}

static int load_set(void *data, u64 val)
{
	if (val > LOAD_MAX)
		return -ERANGE;
	mutex_lock(&control_mutex);
	set_load(val);
	mutex_unlock(&control_mutex);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(load_fops, load_get, load_set, "%llu\n");

static int backend_show(struct seq_file *m, void *v)
{
	seq_puts(m, READ_ONCE(backend_fails) ? "fail\n" : "open\n");
	return 0;
}

static ssize_t backend_write(struct file *file, const char __user *buf,
			     size_t count, loff_t *ppos)
{
	char text[NAME_LEN];
	int err;

	err = read_text(buf, count, text);
	if (err)
		return err;
	if (!strcmp(text, "open"))
		WRITE_ONCE(backend_fails, false);
	else if (!strcmp(text, "fail"))
		WRITE_ONCE(backend_fails, true);
	else
		return -EINVAL;
	return count;
}

static int backend_open(struct inode *inode, struct file *file)
{
	return single_open(file, backend_show, NULL);
}

static const struct file_operations backend_fops = {
	.owner		= THIS_MODULE,
	.open		= backend_open,
	.read		= seq_read,
	.write		= backend_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static int hold_get(void *data, u64 *val)
{
	*val = READ_ONCE(nr_held);
	return 0;
}

static void hold(unsigned int nr)
{
	lockdep_assert_held(&control_mutex);
	while (nr_held > nr)
		mpslab_pool_free(held[--nr_held], request_pool);
	while (nr_held < nr)
		held[nr_held++] = mpslab_pool_alloc(request_pool, GFP_KERNEL);
}

static int hold_set(void *data, u64 val)
{
	int err = -ERANGE;

	mutex_lock(&control_mutex);
	if (val <= reserve) {
		hold(val);
		err = 0;
	}
	mutex_unlock(&control_mutex);
	return err;
}
DEFINE_DEBUGFS_ATTRIBUTE(hold_fops, hold_get, hold_set, "%llu\n");

static u64 longest_us(void)
{
	u64 longest = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		longest = max(longest, READ_ONCE(per_cpu(submitters, cpu).longest_ns));
	return div_u64(longest, NSEC_PER_USEC);
}

static int stats_show(struct seq_file *m, void *v)
{
	struct counts sum = {}, *c;
	int cpu;

	for_each_possible_cpu(cpu) {
		c = per_cpu_ptr(&counts, cpu);
		sum.submitted += c->submitted;
		sum.completed += c->completed;
		sum.softirq += c->softirq;
		sum.hardirq += c->hardirq;
		sum.remote += c->remote;
		sum.backend_failed += c->backend_failed;
		sum.alloc_failed += c->alloc_failed;
		sum.stamp_errors += c->stamp_errors;
	}
	seq_printf(m, "%-16s %llu\n", "submitted", sum.submitted);
	seq_printf(m, "%-16s %llu\n", "completed", sum.completed);
	seq_printf(m, "%-16s %u\n", "in_flight", total_in_flight());
	seq_printf(m, "%-16s %llu\n", "in_softirq", sum.softirq);
	seq_printf(m, "%-16s %llu\n", "in_hardirq", sum.hardirq);
	seq_printf(m, "%-16s %llu\n", "on_other_cpu", sum.remote);
	seq_printf(m, "%-16s %llu\n", "backend_failed", sum.backend_failed);
	seq_printf(m, "%-16s %llu\n", "alloc_failed", sum.alloc_failed);
	seq_printf(m, "%-16s %llu\n", "stamp_errors", sum.stamp_errors);
	seq_printf(m, "%-16s %llu\n", "longest_alloc_us", longest_us());
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

/* ----------------------------- for the tests: names, mistakes, destruction -- */

static int pool_name_set(const char *name)
{
	return mpslab_pool_set_name(request_pool, name);
}

/* A cache of that name, in which something was allocated once. */
static int extra_create(const char *name)
{
	struct mpslab_cache *cache;
	void *obj;

	/* What was leaked is of the last one. */
	if (nr_leaked)
		return -EBUSY;
	if (nr_extra == EXTRAS_MAX)
		return -ENOSPC;
	cache = mpslab_cache_create(name, 128, 0, 0, NULL);
	if (!cache)
		return -EINVAL;
	extra[nr_extra++] = cache;
	obj = mpslab_cache_alloc(cache, GFP_KERNEL);
	if (!obj)
		return -ENOMEM;
	mpslab_cache_free(cache, obj);
	return 0;
}

#define DEFINE_TEXT_ATTRIBUTE(__name, __set)				\
static ssize_t __name ## _write(struct file *file,			\
				const char __user *buf, size_t count,	\
				loff_t *ppos)				\
{									\
	char text[NAME_LEN];						\
	int err;							\
									\
	err = read_text(buf, count, text);				\
	if (err)							\
		return err;						\
	mutex_lock(&control_mutex);					\
	err = __set(text);						\
	mutex_unlock(&control_mutex);					\
	return err ? err : count;					\
}									\
									\
static const struct file_operations __name ## _fops = {			\
	.owner		= THIS_MODULE,					\
	.open		= simple_open,					\
	.write		= __name ## _write,				\
	.llseek		= noop_llseek,					\
}

DEFINE_TEXT_ATTRIBUTE(pool_name, pool_name_set);
DEFINE_TEXT_ATTRIBUTE(extra_create, extra_create);

/* A pool of that many over the last extra cache, or none. */
static int extra_pool_create(unsigned int nr)
{
	lockdep_assert_held(&control_mutex);
	mpslab_pool_destroy(extra_pool);
	extra_pool = NULL;
	if (!nr)
		return 0;
	if (!nr_extra)
		return -ENOENT;
	extra_pool = mpslab_pool_create_slab_pool(nr, extra[nr_extra - 1]);
	if (!extra_pool)
		return -ENOMEM;
	mpslab_pool_set_name(extra_pool, "extra");
	return 0;
}

static int extra_pool_set(void *data, u64 val)
{
	int err;

	if (val > 1024)
		return -ERANGE;
	mutex_lock(&control_mutex);
	err = extra_pool_create(val);
	mutex_unlock(&control_mutex);
	return err;
}
DEFINE_DEBUGFS_ATTRIBUTE(extra_pool_fops, NULL, extra_pool_set, "%llu\n");

/*
 * Have that many objects of the last extra cache leaked.  Their addresses are kept
 * in a form that kmemleak does not know to be some.
 */
static int leak(unsigned int nr)
{
	void *obj;

	lockdep_assert_held(&control_mutex);
	if (nr && !nr_extra)
		return -ENOENT;
	while (nr_leaked < nr) {
		obj = mpslab_cache_alloc(extra[nr_extra - 1], GFP_KERNEL);
		if (!obj)
			return -ENOMEM;
		leaked[nr_leaked++] = ~(unsigned long)obj;
	}
	while (nr_leaked > nr)
		mpslab_cache_free(extra[nr_extra - 1],
				  (void *)~leaked[--nr_leaked]);
	return 0;
}

static int extra_leak_set(void *data, u64 val)
{
	int err;

	if (val > LEAKS_MAX)
		return -ERANGE;
	mutex_lock(&control_mutex);
	err = leak(val);
	mutex_unlock(&control_mutex);
	return err;
}
DEFINE_DEBUGFS_ATTRIBUTE(extra_leak_fops, NULL, extra_leak_set, "%llu\n");

static const char *const mistakes[] = {
	"twice", "later", "inside", "other", "kmalloc", "vmalloc", "page", "stack",
	"null",
};

/* That array's words in its order. */
enum mistake {
	FREE_TWICE,
	FREE_LATER,
	FREE_INSIDE,
	FREE_OTHER,
	FREE_KMALLOC,
	FREE_VMALLOC,
	FREE_PAGE,
	FREE_STACK,
	FREE_NULL,
};

/* Memory that is no object of the cache which @mistake frees it to. */
static void *stranger_get(enum mistake mistake)
{
	switch (mistake) {
	case FREE_OTHER:
		return mpslab_cache_alloc(request_cache, GFP_KERNEL);
	case FREE_KMALLOC:
		return kmalloc(128, GFP_KERNEL);
	case FREE_VMALLOC:
		return vmalloc(128);
	default:
		return (void *)__get_free_page(GFP_KERNEL);
	}
}

static void stranger_put(enum mistake mistake, void *stranger)
{
	switch (mistake) {
	case FREE_OTHER:
		mpslab_cache_free(request_cache, stranger);
		break;
	case FREE_KMALLOC:
	case FREE_VMALLOC:
		kvfree(stranger);
		break;
	default:
		free_page((unsigned long)stranger);
	}
}

/* What is found only on its way home goes there: the array must not keep it. */
static int free_stranger(struct mpslab_cache *cache, enum mistake mistake)
{
	void *stranger = stranger_get(mistake);

	if (!stranger)
		return -ENOMEM;
	mpslab_cache_free(cache, stranger);
	mpslab_cache_shrink(cache);
	stranger_put(mistake, stranger);
	return 0;
}

/* A report names this function as the one that freed first. */
static noinline int free_wrongly(struct mpslab_cache *cache,
				 enum mistake mistake, void **objs)
{
	unsigned long on_stack[16] = { };

	switch (mistake) {
	case FREE_TWICE:
		mpslab_cache_free(cache, objs[0]);
		break;
	case FREE_LATER:
		mpslab_cache_free(cache, objs[0]);
		mpslab_cache_free(cache, objs[1]);
		objs[1] = NULL;
		break;
	case FREE_INSIDE:
		mpslab_cache_free(cache, objs[0] + 8);
		break;
	case FREE_STACK:
		mpslab_cache_free(cache, &on_stack[8]);
		break;
	case FREE_NULL:
		mpslab_cache_free(cache, NULL);
		break;
	default:
		return free_stranger(cache, mistake);
	}
	return 0;
}

/* With the last extra cache; its third object is in use meanwhile. */
static int extra_mistake(const char *what)
{
	int mistake = sysfs_match_string(mistakes, what), err;
	struct mpslab_cache *cache;
	void *objs[3];

	if (mistake < 0)
		return mistake;
	if (!nr_extra)
		return -ENOENT;
	cache = extra[nr_extra - 1];
	if (!mpslab_cache_alloc_bulk(cache, GFP_KERNEL, 3, objs))
		return -ENOMEM;
	err = free_wrongly(cache, mistake, objs);
	mpslab_cache_free(cache, objs[0]);
	mpslab_cache_shrink(cache);
	if (objs[1])
		mpslab_cache_free(cache, objs[1]);
	mpslab_cache_free(cache, objs[2]);
	return err;
}
DEFINE_TEXT_ATTRIBUTE(extra_mistake, extra_mistake);

/*
 * Destroy all extra caches.  The one with leaked objects refuses, and is
 * still there; it is the last, so it becomes the first.
 */
static void destroy_extras(void)
{
	struct mpslab_cache *kept = nr_leaked ? extra[nr_extra - 1] : NULL;

	lockdep_assert_held(&control_mutex);
	extra_pool_create(0);
	while (nr_extra)
		mpslab_cache_destroy(extra[--nr_extra]);
	if (kept)
		extra[nr_extra++] = kept;
}

static int extra_destroy_set(void *data, u64 val)
{
	if (val != 1)
		return -ERANGE;
	mutex_lock(&control_mutex);
	destroy_extras();
	mutex_unlock(&control_mutex);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(extra_destroy_fops, NULL, extra_destroy_set, "%llu\n");

/* ------------------------------------------------------------------ module -- */

static void controls_create(void)
{
	dir = debugfs_create_dir("mpslab_client", NULL);
	debugfs_create_file("load", 0600, dir, NULL, &load_fops);
	debugfs_create_file("backend", 0600, dir, NULL, &backend_fops);
	debugfs_create_file("hold", 0600, dir, NULL, &hold_fops);
	debugfs_create_file("stats", 0400, dir, NULL, &stats_fops);
	debugfs_create_file("pool_name", 0200, dir, NULL, &pool_name_fops);
	debugfs_create_file("extra_create", 0200, dir, NULL, &extra_create_fops);
	debugfs_create_file("extra_pool", 0200, dir, NULL, &extra_pool_fops);
	debugfs_create_file("extra_leak", 0200, dir, NULL, &extra_leak_fops);
	debugfs_create_file("extra_mistake", 0200, dir, NULL,
			    &extra_mistake_fops);
	debugfs_create_file("extra_destroy", 0200, dir, NULL,
			    &extra_destroy_fops);
}

static int __init client_init(void)
{
	int err;

	if (!reserve || reserve > 65536 || payload > 65536)
		return -EINVAL;
	held = kcalloc(reserve, sizeof(*held), GFP_KERNEL);
	if (!held)
		return -ENOMEM;
	err = start();
	if (err) {
		kfree(held);
		return err;
	}
	controls_create();
	return 0;
}

/* Threads may wait for what is held or for the backend: these come first. */
static void __exit client_exit(void)
{
	debugfs_remove(dir);
	mutex_lock(&control_mutex);
	WRITE_ONCE(backend_fails, false);
	hold(0);
	leak(0);
	destroy_extras();
	mutex_unlock(&control_mutex);
	stop();
	kfree(held);
}

module_init(client_init);
module_exit(client_exit);

MODULE_DESCRIPTION("Example client of mpslab: requests that are submitted and completed");
MODULE_LICENSE("GPL");
