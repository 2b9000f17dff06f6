// SPDX-License-Identifier: GPL-2.0
/*
 * Errands: what a worker sends to be done in another context, there and then or
 * later, on this CPU or another.
 *
 * A worker that finds an errand idle owns it until it sends it, and then the
 * context that it is sent to does, until it clears @busy.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/preempt.h>

#include "soak.h"

/* ----------------------------------------------------------- where it is done -- */

static void errand_bring_elements(struct errand *e)
{
	unsigned int i, nr = e->nr_elements;

	e->nr_elements = 0;
	if (e->bulk && nr)
		pool_put_bulk(e->w, e->pool, e->elements, e->stamps, nr);
	for (i = 0; i < nr && !e->bulk; i++)
		pool_put(e->w, e->pool, e->elements[i], e->stamps[i]);
	e->pool = NULL;
}

static void errand_get(struct errand *e, gfp_t gfp)
{
	unsigned int i;

	if (!e->get_from)
		return;
	for (i = 0; i < e->nr_get; i++)
		cache_get(e->w, e->get_from, 2 + i % 2, gfp, &e->got[i]);
	place_leave(&e->get_from->place);
	e->get_from = NULL;
}

static void errand_do(struct errand *e, gfp_t gfp)
{
	for (; e->nr_put; e->nr_put--)
		cache_put_somehow(e->w, &e->put[e->nr_put - 1],
				  again(e->how, e->nr_put));
	errand_bring_elements(e);
	errand_get(e, gfp);
	/* From here on it is the worker's; pairs with errand_is_idle(). */
	smp_store_release(&e->busy, false);
}

static void errand_in_interrupt(struct errand *e)
{
	soak_count(in_hardirq() ? C_HARDIRQ : C_SOFTIRQ, 1);
	errand_do(e, GFP_ATOMIC);
}

static void errand_timer(struct timer_list *t)
{
	errand_in_interrupt(container_of(t, struct errand, timer));
}

static void errand_tasklet(struct tasklet_struct *t)
{
	errand_in_interrupt(container_of(t, struct errand, tasklet));
}

static void errand_irq_work(struct irq_work *irq_work)
{
	errand_in_interrupt(container_of(irq_work, struct errand, irq_work));
}

/* As a driver's handler, which PREEMPT_RT makes a thread: lockdep believes it. */
static void errand_ipi(void *errand)
{
	lockdep_hardirq_threaded();
	errand_in_interrupt(errand);
}

static void errand_work(struct work_struct *work)
{
	soak_count(C_OTHER_TASK, 1);
	errand_do(container_of(work, struct errand, work), GFP_KERNEL);
}

/* ------------------------------------------------------------------ the worker -- */

/* If so, it is its worker's. */
bool errand_is_idle(struct errand *e)
{
	/* Pairs with errand_do(). */
	return !smp_load_acquire(&e->busy);
}

/* What an errand that is idle has got, if its cache goes or @all goes. */
void errand_take_back(struct errand *e, bool all)
{
	unsigned int i;

	if (!errand_is_idle(e))
		return;
	for (i = 0; i < ERRAND_GETS; i++)
		if (e->got[i].from &&
		    (all || place_is_closed(&e->got[i].from->place)))
			cache_put(e->w, &e->got[i]);
}

/* An errand to be sent, with nothing in it; NULL if all are under way. */
struct errand *errand_idle(struct worker *w)
{
	struct errand *e;

	for (e = w->errands; e < w->errands + ERRANDS; e++) {
		if (!errand_is_idle(e))
			continue;
		errand_take_back(e, true);
		return e;
	}
	return NULL;
}

/*
 * With preemption off no CPU goes offline, and the timers of one that does later
 * are moved.
 */
static bool send_to_cpu(struct errand *e, enum errand_way way, u32 how)
{
	unsigned int cpu = below(again(how, 1), nr_cpu_ids);
	bool online;

	preempt_disable();
	online = cpu_online(cpu);
	if (online && way == BY_TIMER) {
		e->timer.expires = jiffies + below(again(how, 2), 3);
		add_timer_on(&e->timer, cpu);
	} else if (online && way == BY_IPI) {
		smp_call_function_single_async(cpu, &e->csd);
	} else if (online && way == BY_WORK) {
		schedule_work_on(cpu, &e->work);
	}
	preempt_enable();
	return online;
}

/*
 * Send an errand on its way.  An IPI is the only interrupt that PREEMPT_RT does not
 * make a thread; not everything is allowed there, so @any_context says.
 */
void errand_send(struct errand *e, u32 how, bool any_context)
{
	enum errand_way way = below(how, NR_WAYS);

	if (way == BY_IPI && !any_context)
		way = BY_IRQ_WORK;
	e->how = how;
	WRITE_ONCE(e->busy, true);
	if (way == BY_TIMER || way == BY_IPI || way == BY_WORK) {
		if (send_to_cpu(e, way, how))
			return;
		way = BY_TASKLET;
	}
	if (way == BY_TASKLET)
		tasklet_schedule(&e->tasklet);
	else
		irq_work_queue(&e->irq_work);
}

void errand_init(struct errand *e, struct worker *w)
{
	e->w = w;
	timer_setup(&e->timer, errand_timer, 0);
	tasklet_setup(&e->tasklet, errand_tasklet);
	init_irq_work(&e->irq_work, errand_irq_work);
	INIT_CSD(&e->csd, errand_ipi, e);
	INIT_WORK(&e->work, errand_work);
}

/*
 * Wait for the errand, and until nobody executes our code on its behalf any more;
 * for IPIs the caller sees to that, once for all.
 */
void errand_exit(struct errand *e)
{
	while (!errand_is_idle(e))
		usleep_range(500, 1000);
	timer_delete_sync(&e->timer);
	tasklet_kill(&e->tasklet);
	irq_work_sync(&e->irq_work);
	cancel_work_sync(&e->work);
	errand_take_back(e, true);
}
