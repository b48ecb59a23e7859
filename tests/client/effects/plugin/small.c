/* A VST3 plug-in by its binary interface alone: two channels, a gain, and a latency; and it can be
 * told to crash or to hang. What a host asks for beyond that is not there. */
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OK = 0, NOT = 1, NO_INTERFACE = -1 };
enum { GAIN, HARM, PARAMETERS };
enum { STEREO = 3, LATENCY_FRAMES = 64 };
static const double CRASHES = 0.9, HANGS = 0.4;

typedef uint8_t id16[16];
#define ID(a, b, c, d)                                                                             \
    { (a) >> 24, (a) >> 16 & 255, (a) >> 8 & 255, (a) & 255, (b) >> 24, (b) >> 16 & 255,           \
      (b) >> 8 & 255, (b) & 255, (c) >> 24, (c) >> 16 & 255, (c) >> 8 & 255, (c) & 255,            \
      (d) >> 24, (d) >> 16 & 255, (d) >> 8 & 255, (d) & 255 }
static const id16 UNKNOWN = ID(0u, 0u, 0xC0000000u, 0x46u);
static const id16 BASE = ID(0x22888DDBu, 0x156E45AEu, 0x8358B348u, 0x08190625u);
static const id16 COMPONENT = ID(0xE831FF31u, 0xF2D54301u, 0x928EBBEEu, 0x25697802u);
static const id16 PROCESSOR = ID(0x42043F99u, 0xB7DA453Cu, 0xA569E79Du, 0x9AAEC33Du);
static const id16 CONTROLLER = ID(0xDCD7BBE3u, 0x7742448Du, 0xA874AACCu, 0x979C759Eu);
static const id16 FACTORY = ID(0x7A4D811Cu, 0x52114A1Fu, 0xAED9D2EEu, 0x0B43BF9Fu);
static const id16 CLASS = ID(0x6D696469u, 0x506F6F6Cu, 0x54657374u, 0x00000001u);

typedef struct {
    const void *component, *processor, *controller; /* an interface is the address of its table */
    atomic_uint references;
    double values[PARAMETERS];
    float held[2][LATENCY_FRAMES];
} plugin;

static plugin *of_component(void *self) { return self; }
static plugin *of_processor(void *self) { return (plugin *)((const void **)self - 1); }
static plugin *of_controller(void *self) { return (plugin *)((const void **)self - 2); }

static int32_t ask(plugin *p, const uint8_t *id, void **found) {
    *found = NULL;
    if (!memcmp(id, PROCESSOR, 16)) *found = &p->processor;
    if (!memcmp(id, CONTROLLER, 16)) *found = &p->controller;
    if (!memcmp(id, COMPONENT, 16) || !memcmp(id, BASE, 16) || !memcmp(id, UNKNOWN, 16)) *found = p;
    if (*found == NULL) return NO_INTERFACE;
    p->references++;
    return OK;
}

static uint32_t let_go(plugin *p) {
    uint32_t left = --p->references;
    if (left == 0) free(p);
    return left;
}

#define UNKNOWN_OF(kind)                                                                           \
    static int32_t kind##_ask(void *s, const uint8_t *id, void **found) {                          \
        return ask(of_##kind(s), id, found);                                                       \
    }                                                                                              \
    static uint32_t kind##_hold(void *s) { return ++of_##kind(s)->references; }                    \
    static uint32_t kind##_let_go(void *s) { return let_go(of_##kind(s)); }
UNKNOWN_OF(component)
UNKNOWN_OF(processor)
UNKNOWN_OF(controller)

static int32_t ok1(void *s) { return s ? OK : NOT; }
static int32_t ok2(void *s, void *x) { return s || x ? OK : NOT; }
static int32_t ok_flag(void *s, uint8_t on) { return s || on ? OK : NOT; }
static int32_t no2(void *s, void *x) { return s && x ? NOT : NOT; }

/* ---- component ---- */

static int32_t io_mode(void *s, int32_t mode) { return s || mode ? OK : NOT; }
static int32_t buses(void *s, int32_t media, int32_t way) { return s && media == 0 && way < 2; }
static int32_t no_routing(void *s, void *a, void *b) { return s && a && b ? NOT : NOT; }
static int32_t activate(void *s, int32_t media, int32_t way, int32_t bus, uint8_t on) {
    return s && media == 0 && way < 2 && bus == 0 && on < 2 ? OK : NOT;
}

typedef struct {
    int32_t media, way, channels;
    int16_t name[128];
    int32_t kind;
    uint32_t flags;
} bus_info;

static void named(int16_t *to, const char *text) {
    do *to++ = *text;
    while (*text++);
}

static int32_t bus(void *s, int32_t media, int32_t way, int32_t number, bus_info *info) {
    if (!s || media != 0 || number != 0) return NOT;
    *info = (bus_info){.media = media, .way = way, .channels = 2, .flags = 1};
    named(info->name, way ? "out" : "in");
    return OK;
}

/* ---- processor ---- */

static int32_t arrange(void *s, uint64_t *in, int32_t ins, uint64_t *out, int32_t outs) {
    return s && ins == 1 && outs == 1 && in[0] == STEREO && out[0] == STEREO ? OK : NOT;
}
static int32_t arranged(void *s, int32_t way, int32_t number, uint64_t *speakers) {
    *speakers = STEREO;
    return s && way < 2 && number == 0 ? OK : NOT;
}
static int32_t takes(void *s, int32_t size) { return s && size == 0 ? OK : NOT; }
static uint32_t latency(void *s) { return s ? LATENCY_FRAMES : 0; }
static uint32_t tail(void *s) { return s ? 0 : 1; }

typedef struct { const void *(*unknown[3])(void); int32_t (*count)(void *); void **(*queue)(void *, int32_t); } changes_table;
typedef struct {
    const void *(*unknown[3])(void);
    uint32_t (*id)(void *);
    int32_t (*count)(void *);
    int32_t (*point)(void *, int32_t, int32_t *, double *);
} queue_table;
typedef struct { int32_t channels; uint64_t silent; float **buffers; } bus_buffers;
typedef struct {
    int32_t mode, size, frames, ins, outs;
    bus_buffers *in, *out;
    void **changes;
} block;

static void obey(plugin *p, void **changes) {
    if (changes == NULL) return;
    const changes_table *all = *changes;
    for (int32_t i = 0; i < all->count(changes); i++) {
        void **queue = all->queue(changes, i);
        const queue_table *q = *queue;
        int32_t at, count = q->count(queue);
        double value;
        if (q->id(queue) < PARAMETERS && count > 0 && q->point(queue, count - 1, &at, &value) == OK)
            p->values[q->id(queue)] = value;
    }
}

static int32_t process(void *s, block *b) {
    plugin *p = of_processor(s);
    obey(p, b->changes);
    if (p->values[HARM] > CRASHES) abort();
    while (p->values[HARM] > HANGS) pause();
    if (b->ins != 1 || b->outs != 1) return OK;
    for (int c = 0; c < 2 && c < b->in->channels && c < b->out->channels; c++) {
        for (int32_t i = 0; i < b->frames; i++) {
            float heard = b->in->buffers[c][i], *held = p->held[c];
            b->out->buffers[c][i] = held[0] * (float)p->values[GAIN];
            memmove(held, held + 1, (LATENCY_FRAMES - 1) * sizeof *held);
            held[LATENCY_FRAMES - 1] = heard;
        }
    }
    return OK;
}

/* ---- controller ---- */

typedef struct {
    uint32_t id;
    int16_t title[128], brief[128], unit[128];
    int32_t steps;
    double usual;
    int32_t unit_id, flags;
} parameter_info;

static int32_t parameters(void *s) { return s ? PARAMETERS : 0; }
static int32_t parameter(void *s, int32_t number, parameter_info *info) {
    if (!s || number < 0 || number >= PARAMETERS) return NOT;
    *info = (parameter_info){.id = (uint32_t)number, .usual = number == GAIN, .flags = 1};
    named(info->title, number == GAIN ? "gain" : "harm");
    return OK;
}
static int32_t as_text(void *s, uint32_t id, double value, int16_t *text) {
    char digits[2] = {(char)('0' + (int)(value * 9)), 0};
    named(text, digits);
    return s && id < PARAMETERS ? OK : NOT;
}
static int32_t from_text(void *s, uint32_t id, int16_t *text, double *value) {
    *value = (text[0] - '0') / 9.0;
    return s && id < PARAMETERS ? OK : NOT;
}
static double same(void *s, uint32_t id, double value) { return s && id < PARAMETERS ? value : 0; }
static double value_of(void *s, uint32_t id) {
    return id < PARAMETERS ? of_controller(s)->values[id] : 0;
}
static int32_t set_value(void *s, uint32_t id, double value) {
    if (id >= PARAMETERS) return NOT;
    of_controller(s)->values[id] = value;
    return OK;
}
static void *no_view(void *s, const char *name) { return s && name ? NULL : NULL; }

/* ---- tables, in the interface's order ---- */

static const void *const component_table[] = {
    component_ask, component_hold, component_let_go, ok2, ok1, no2, io_mode, buses,
    bus, no_routing, activate, ok_flag, ok2, ok2};
static const void *const processor_table[] = {
    processor_ask, processor_hold, processor_let_go, arrange, arranged, takes,
    latency, ok2, ok_flag, process, tail};
static const void *const controller_table[] = {
    controller_ask, controller_hold, controller_let_go, ok2, ok1, ok2, ok2, ok2, parameters,
    parameter, as_text, from_text, same, same, value_of, set_value, ok2, no_view};

/* ---- factory ---- */

typedef struct { char vendor[64], url[256], email[128]; int32_t flags; } factory_info;
typedef struct { id16 id; int32_t cardinality; char category[32], name[64]; } class_info;

static int32_t factory_ask(void *s, const uint8_t *id, void **found) {
    *found = memcmp(id, FACTORY, 16) && memcmp(id, UNKNOWN, 16) ? NULL : s;
    return *found ? OK : NO_INTERFACE;
}
static uint32_t counted(void *s) { return s ? 1 : 0; }
static int32_t about_us(void *s, factory_info *info) {
    *info = (factory_info){.vendor = "midiPool", .flags = 0x10};
    return s ? OK : NOT;
}
static int32_t classes(void *s) { return s ? 1 : 0; }
static int32_t class_of(void *s, int32_t number, class_info *info) {
    if (!s || number != 0) return NOT;
    *info = (class_info){.cardinality = 0x7fffffff, .category = "Audio Module Class", .name = "small"};
    memcpy(info->id, CLASS, 16);
    return OK;
}
static int32_t create(void *s, const uint8_t *class_id, const uint8_t *id, void **found) {
    *found = NULL;
    if (!s || memcmp(class_id, CLASS, 16)) return NO_INTERFACE;
    plugin *p = calloc(1, sizeof *p);
    if (p == NULL) return NOT;
    *p = (plugin){component_table, processor_table, controller_table, .references = 1};
    p->values[GAIN] = 1.0;
    int32_t answer = ask(p, id, found);
    let_go(p);
    return answer;
}
static const void *const factory_table[] = {factory_ask, counted, counted, about_us,
                                            classes,     class_of, create};
static const void *const *const factory = factory_table;

__attribute__((visibility("default"))) int ModuleEntry(void *handle) { return handle != NULL; }
__attribute__((visibility("default"))) int ModuleExit(void) { return 1; }
__attribute__((visibility("default"))) const void *GetPluginFactory(void) { return &factory; }
