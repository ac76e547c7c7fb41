/* A crowd of WebSocket clients in one thread, so that the load is not what is measured: see crowd.py.

   crowd PORT sio|ws COUNT PUBLISHERS TOKEN CHANNEL EPHEMERAL: opens COUNT connections (by Socket.IO with a token; to a
   channel unless it is "-"; plain ones at the path CHANNEL where it begins with "/"), says {"ready": n}, and then takes
   one command a line, each answered by one line of JSON:
     burst SECONDS IN_FLIGHT BYTES   publishes so that as many messages are under way, each until everybody has it
     rate SECONDS PER_SECOND BYTES   publishes at that pace
     listen SECONDS                  publishes nothing
   Every message carries the moment at which it was sent (CLOCK_MONOTONIC, which all processes share). */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTING, UPGRADING, TALKING, READY, DEAD };
enum { OPENING_AT_ONCE = 64, KEPT = 96, BUCKETS = 1 << 21, LONGEST = 70000 };
typedef struct {
  int fd, state, matched, filled, opcode, noted;
  uint64_t left;
  unsigned char head[10];
  char start[KEPT + 1];
} Client;

static Client *clients;
static int epoll, port, by_socketio, count, publishers, is_ephemeral, ready, opening, dead, turn;
static const char *token, *channel;
static uint64_t sent, delivered;
static uint32_t *latencies; /* by microsecond */
static uint64_t measured;
static int measuring;

static uint64_t now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1000000ull + at.tv_nsec / 1000;
}

static void fail(Client *client, const char *why) {
  if (client->state == DEAD) return;
  if (client->state != READY) opening--;
  else ready--;
  fprintf(stderr, "a client is lost: %s (%s)\n", why, client->start);
  client->state = DEAD;
  dead++;
  close(client->fd);
}

static void say_as(Client *client, int opcode, const char *text, size_t size) {
  static unsigned char frame[LONGEST + 16];
  size_t head = 2;
  frame[0] = 0x80 | opcode;
  if (size < 126) frame[1] = 0x80 | size;
  else frame[1] = 0x80 | 126, frame[2] = size >> 8, frame[3] = size, head = 4;
  memset(frame + head, 0, 4); /* masked with zeros, which is a mask too */
  memcpy(frame + head + 4, text, size);
  size_t whole = head + 4 + size, gone = 0;
  while (gone < whole) {
    ssize_t step = send(client->fd, frame + gone, whole - gone, MSG_NOSIGNAL);
    if (step > 0) gone += step;
    else if (errno == EAGAIN) usleep(50);
    else { fail(client, "send"); return; }
  }
}

static void say(Client *client, const char *text, size_t size) { say_as(client, 1, text, size); }

static void become_ready(Client *client) {
  if (client->state == READY) return;
  client->state = READY;
  ready++;
  opening--;
}

static void hear(Client *client) {
  char *text = client->start, out[2048];
  text[client->noted] = 0;
  if (client->opcode == 8) { fail(client, "closed by the server"); return; }
  if (client->opcode == 9) say_as(client, 10, text, client->noted);
  if (client->opcode != 1) return;
  if (by_socketio && strncmp(text, "42[\"bench\"", 10)) {
    if (text[0] == '0') say(client, out, snprintf(out, sizeof out, "40{\"token\":\"%s\"}", token));
    else if (text[0] == '2') say(client, "3", 1);
    else if (!strncmp(text, "44", 2)) fail(client, "refused");
    else if (!strncmp(text, "40", 2) && !strcmp(channel, "-")) become_ready(client);
    else if (!strncmp(text, "40", 2))
      say(client, out, snprintf(out, sizeof out, "420[\"realtime:subscribe\",{\"channel\":\"%s\"}]", channel));
    else if (!strncmp(text, "430[{\"ok\":true", 14)) become_ready(client);
    else if (!strncmp(text, "43", 2) || !strncmp(text, "42[\"realtime:error\"", 19)) fail(client, "not let in");
    return;
  }
  delivered++;
  char *at = measuring ? strstr(text, "\"t\":") : NULL;
  if (at) {
    uint64_t took = now() - strtoull(at + 4, NULL, 10);
    latencies[took < BUCKETS ? took : BUCKETS - 1]++;
    measured++;
  }
}

static void take(Client *client, const unsigned char *data, size_t size) {
  while (size && client->state != DEAD) {
    if (client->state == UPGRADING) { /* up to the empty line */
      client->matched = *data == "\r\n\r\n"[client->matched] ? client->matched + 1 : *data == '\r';
      data++, size--;
      if (client->matched == 4) {
        client->state = TALKING;
        if (!by_socketio) become_ready(client);
      }
      continue;
    }
    if (client->left) {
      size_t step = size < client->left ? size : client->left;
      size_t room = KEPT - client->noted, noted = step < room ? step : room;
      memcpy(client->start + client->noted, data, noted);
      client->noted += noted;
      client->left -= step, data += step, size -= step;
      if (!client->left) hear(client);
      continue;
    }
    client->head[client->filled++] = *data++, size--;
    if (client->filled < 2) continue;
    int extra = client->head[1] == 126 ? 2 : client->head[1] == 127 ? 8 : 0;
    if (client->filled < 2 + extra) continue;
    uint64_t length = extra ? 0 : client->head[1];
    for (int at = 2; at < 2 + extra; at++) length = length << 8 | client->head[at];
    client->opcode = client->head[0] & 15;
    client->left = length, client->filled = client->noted = 0;
    if (!length) hear(client);
  }
}

static void open_next(int index) {
  Client *client = &clients[index];
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  int one = 1;
  setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  connect(client->fd, (struct sockaddr *)&to, sizeof to);
  struct epoll_event event = {.events = EPOLLOUT, .data.u32 = index};
  epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event);
  opening++;
}

static void upgrade(Client *client, uint32_t index) {
  char text[512];
  int failure = 0;
  socklen_t size = sizeof failure;
  getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &failure, &size);
  if (failure) { fail(client, strerror(failure)); return; }
  int length = snprintf(text, sizeof text,
      "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
      by_socketio ? "/socket.io/?EIO=4&transport=websocket" : *channel == '/' ? channel : "/", port);
  send(client->fd, text, length, MSG_NOSIGNAL);
  client->state = UPGRADING;
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
  epoll_ctl(epoll, EPOLL_CTL_MOD, client->fd, &event);
}

static void turn_once(int patience) {
  static struct epoll_event events[1024];
  static unsigned char data[1 << 18];
  int met = epoll_wait(epoll, events, 1024, patience);
  for (int each = 0; each < met; each++) {
    Client *client = &clients[events[each].data.u32];
    if (client->state == DEAD) continue;
    if (client->state == CONNECTING) { upgrade(client, events[each].data.u32); continue; }
    ssize_t size = recv(client->fd, data, sizeof data, 0);
    if (size > 0) take(client, data, size);
    else if (size == 0 || errno != EAGAIN) fail(client, "the connection ended");
  }
}

static void publish(int bytes) {
  static char text[LONGEST], filler[LONGEST];
  Client *client = &clients[turn++ % publishers];
  if (!filler[0]) memset(filler, 'x', sizeof filler - 1);
  int rest = bytes - 33 > 0 ? bytes - 33 : 0;
  int size = by_socketio
      ? snprintf(text, sizeof text, "42[\"realtime:publish\",{\"channel\":\"%s\",\"event\":\"bench\",\"ephemeral\":%s,"
            "\"payload\":{\"t\":%llu,\"x\":\"%.*s\"}}]", channel, is_ephemeral ? "true" : "false",
            (unsigned long long)now(), rest, filler)
      : snprintf(text, sizeof text, "{\"t\":%llu,\"x\":\"%.*s\"}", (unsigned long long)now(), rest, filler);
  say(client, text, size);
  sent++;
}

static uint64_t percentile(double share) {
  uint64_t passed = 0;
  for (uint64_t at = 0; at < BUCKETS; at++)
    if ((passed += latencies[at]) >= share * measured && passed) return at;
  return 0;
}

static void work(double seconds, int in_flight, double per_second, int bytes) {
  uint64_t sent_before = sent, heard_before = delivered, begun = now(), next = begun;
  uint64_t measure_at = begun + 300000, end = measure_at + seconds * 1e6, from = 0, sent_at = 0, heard_at = 0;
  for (uint64_t at; (at = now()) < end && !dead;) {
    if (!from && at >= measure_at) {
      memset(latencies, 0, BUCKETS * sizeof *latencies);
      measured = 0, measuring = 1, from = at, sent_at = sent, heard_at = delivered;
    }
    if (per_second > 0)
      for (; next <= at; next += 1e6 / per_second) publish(bytes);
    for (int most = 64; in_flight && most && sent - sent_before < (delivered - heard_before) / count + in_flight; most--)
      publish(bytes);
    turn_once(1);
  }
  double took = (now() - from) / 1e6;
  uint64_t sent_then = sent - sent_at, heard_then = delivered - heard_at;
  measuring = 0;
  uint64_t due = (sent - sent_before) * count, patience = now() + 10000000;
  while (delivered - heard_before < due && now() < patience && !dead) turn_once(5);
  printf("{\"seconds\":%.3f,\"published\":%llu,\"delivered\":%llu,\"lost\":%lld,\"dead\":%d,\"p50_us\":%llu,\"p99_us\":%llu}\n",
      took, (unsigned long long)sent_then, (unsigned long long)heard_then,
      (long long)(sent == sent_before ? 0 : due - (delivered - heard_before)), dead,
      (unsigned long long)percentile(.5), (unsigned long long)percentile(.99));
  fflush(stdout);
}

int main(int given, char **arguments) {
  if (given != 8) return 2;
  port = atoi(arguments[1]), by_socketio = !strcmp(arguments[2], "sio"), count = atoi(arguments[3]);
  publishers = atoi(arguments[4]), token = arguments[5], channel = arguments[6], is_ephemeral = atoi(arguments[7]);
  clients = calloc(count, sizeof *clients);
  latencies = calloc(BUCKETS, sizeof *latencies);
  epoll = epoll_create1(0);
  int begun = 0;
  for (uint64_t end = now() + 120000000ull; ready < count && now() < end && !dead; turn_once(5))
    while (begun < count && opening < OPENING_AT_ONCE) open_next(begun++);
  printf("{\"ready\":%d}\n", ready);
  fflush(stdout);
  char line[128];
  for (;;) { /* between commands pings are answered */
    struct timeval none = {0, 1000};
    fd_set input;
    FD_ZERO(&input);
    FD_SET(0, &input);
    if (select(1, &input, NULL, NULL, &none) > 0) {
      if (!fgets(line, sizeof line, stdin)) return 0;
      double seconds, pace;
      int bytes;
      if (sscanf(line, "burst %lf %lf %d", &seconds, &pace, &bytes) == 3) work(seconds, pace, 0, bytes);
      else if (sscanf(line, "rate %lf %lf %d", &seconds, &pace, &bytes) == 3) work(seconds, 0, pace, bytes);
      else if (sscanf(line, "listen %lf", &seconds) == 1) work(seconds, 0, 0, 0);
      else return 2;
    }
    turn_once(1);
  }
}
