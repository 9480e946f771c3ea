// SPDX-License-Identifier: MIT
#include "commandrun_p.h"

#include "cancelwatch_p.h"
#include "convert_p.h"
#include "groupstate_p.h"
#include "logging_p.h"
#include "replies_p.h"
#include "texts_p.h"

#include <QtCore/qrandom.h>

#include <errno.h>

namespace ProcessKit {

using namespace std::chrono_literals;
using Native::Reactor;

QFuture<ProcessResult> CommandRun::start(const Command &command,
                                         const ProcessRunner::Options &options,
                                         std::shared_ptr<GroupState> group)
{
    std::shared_ptr<CommandRun> run(new CommandRun(command, options, std::move(group)));
    const QFuture<ProcessResult> future = run->m_promise.future();
    run->m_promise.start();

    // what the command takes from its surroundings, it takes now
    auto setup = std::make_shared<RunSetup>();
    ProcessError problem = CommandLaunch::prepare(command, setup.get());
    int code = 0;
    Reactor *reactor = problem ? nullptr : Reactor::start(&code);
    if (!problem && !reactor)
        problem = toError({ Native::LaunchStep::Reactor, code }, command.program());
    if (problem) {
        run->m_news.failure = problem;
        run->m_promise.addResult(run->result());
        run->m_promise.finish();
        return future;
    }
    reactor->post([run, setup] {
        run->m_cancelWatch =
                watchCancellation(QFuture<void>(run->m_promise.future()), [raw = run.get()] {
                    raw->cancel();
                });
        run->launch(std::move(*setup));
    });
    return future;
}

CommandRun::CommandRun(const Command &command, const ProcessRunner::Options &options,
                       std::shared_ptr<GroupState> group)
    : m_command(command), m_options(options), m_group(std::move(group))
{
}

void CommandRun::launch(RunSetup setup)
{
    ++m_attempts;
    m_news = {};
    m_order.clear();
    m_lineNumber = 0;
    m_stopCallback.reset();
    const CommandData &command = *m_command.d;
    m_tees = command.tees;
    for (int channel : { 0, 1 }) {
        m_captures[std::size_t(channel)] = Capture();
        m_captures[std::size_t(channel)].setPolicy(command.outputPolicy);
        m_splitters[std::size_t(channel)].reset();
        if (!command.lineHandlers.isEmpty() || (m_options.until && channel == 0))
            m_splitters[std::size_t(channel)].emplace(QProcess::ProcessChannel(channel),
                                                      command.encoding);
    }
    setup.group = m_group;
    m_run = ProcessRun::start(std::move(setup),
                              [self = shared_from_this()](RunNews news) { self->handle(std::move(news)); });
}

void CommandRun::handle(RunNews news)
{
    for (int channel : { 0, 1 })
        takeOutput(channel, &news.bytes[std::size_t(channel)]);
    m_news.append(std::move(news));
    const bool mustBeEmpty = m_news.verdict || m_foundLine;
    if (m_news.failure || (m_news.finished && (!mustBeEmpty || m_news.emptied)))
        complete();
}

void CommandRun::takeOutput(int channel, ByteQueue *bytes)
{
    while (!bytes->isEmpty()) {
        const QByteArrayView piece = bytes->first();
        m_captures[std::size_t(channel)].append(piece);
        if (!m_order.isEmpty() && m_order.last().channel == channel)
            m_order.last().length += piece.size();
        else
            m_order.append({ channel, piece.size() });
        if (const auto &tee = m_tees[std::size_t(channel)];
            tee && tee->write(piece.data(), piece.size()) != piece.size())
            m_tees[std::size_t(channel)].reset(); // it has failed: the run goes on without it
        if (m_splitters[std::size_t(channel)])
            takeLines(channel, piece);
        bytes->dropFront(piece.size());
    }
}

void CommandRun::takeLines(int channel, QByteArrayView bytes)
{
    QList<OutputLine> lines;
    m_splitters[std::size_t(channel)]->feed(bytes, &lines, &m_lineNumber);
    tellLines(lines);
}

void CommandRun::tellLines(const QList<OutputLine> &lines)
{
    for (const OutputLine &line : lines) {
        for (const Command::LineHandler &handler : m_command.d->lineHandlers)
            handler(line);
        if (m_options.until && !m_foundLine && line.channel() == QProcess::StandardOutput
            && m_options.until(line.text())) {
            m_foundLine = line.toString();
            m_run->kill();
        }
    }
}

void CommandRun::complete()
{
    for (int channel : { 0, 1 }) {
        if (auto &splitter = m_splitters[std::size_t(channel)]) {
            QList<OutputLine> lines;
            splitter->finish(&lines, &m_lineNumber);
            tellLines(lines);
        }
    }
    ProcessResult outcome = result();
    m_run->forgetReceiver();
    m_run.reset();
    if (m_options.successRequired) {
        if (const ProcessError error = outcome.error(); error && retries(error)) {
            again();
            return;
        }
    }
    conclude(std::move(outcome));
}

bool CommandRun::retries(const ProcessError &error)
{
    const std::optional<RetryPolicy> &policy = m_command.d->retry;
    return policy && !m_cancelled && m_attempts <= policy->retries && policy->shouldRetry(error)
            && (!m_command.standardInput().isOneShot() || m_news.failure);
}

void CommandRun::again()
{
    qCDebug(lcLifecycle) << "retry" << m_attempts;
    const RetryPolicy &policy = *m_command.d->retry;
    auto delay = policy.longestDelay(m_attempts);
    if (policy.jitter && delay > 0ms)
        delay = std::chrono::milliseconds(
                QRandomGenerator::global()->bounded(qint64(delay.count()) + 1));
    if (m_command.d->stopToken.stop_possible()) {
        m_stopCallback.emplace(m_command.d->stopToken, [weak = weak_from_this()] {
            Reactor::instance().post([weak] {
                if (const auto self = weak.lock())
                    self->cancel();
            });
        });
    }
    m_retryTimer.start(delay, [self = shared_from_this()] {
        RunSetup setup;
        if (const ProcessError problem = CommandLaunch::prepare(self->m_command, &setup)) {
            self->m_news = {};
            self->m_news.failure = problem;
            self->conclude(self->result());
            return;
        }
        self->launch(std::move(setup));
    });
}

// A retry that is waited for does not come.
void CommandRun::cancel()
{
    m_cancelled = true;
    if (m_run) {
        m_run->cancel();
    } else if (m_retryTimer.isActive()) {
        const auto self = shared_from_this();
        m_retryTimer.stop();
        m_news = {};
        m_news.verdict = Verdict::Cancelled;
        conclude(result());
    }
}

// Not on this thread: what hangs on the future may block.
void CommandRun::conclude(ProcessResult result)
{
    m_stopCallback.reset();
    Reactor::instance().afterTurn([watch = std::move(m_cancelWatch)] {}); // it may be its signal
    runReply([self = shared_from_this(), result = std::move(result)] {
        self->m_promise.addResult(result);
        self->m_promise.finish();
    });
}

ProcessResult CommandRun::result()
{
    const CommandData &command = *m_command.d;
    auto *data = new ProcessResultData;
    ProcessResult result(data);
    data->program = command.program;
    data->successCodes = command.successCodes;
    data->encoding = command.encoding;
    data->decoder = command.decoder;
    data->attempts = m_attempts;
    data->leftovers = m_news.leftovers.value_or(QList<ProcessInfo>());
    data->cut = m_news.cut;
    data->timeout = command.timeout.value_or(-1ms);
    if (m_news.failure) {
        data->outcome = m_news.verdict ? Outcome::Cancelled : Outcome::NotStarted;
        data->error = *m_news.failure;
        return result;
    }
    for (std::size_t i : { 0, 1 }) {
        data->byteCounts[i] = m_captures[i].byteCount();
        data->lineCounts[i] = m_captures[i].lineCount();
        data->bytes[i] = m_captures[i].take();
        data->truncated |= m_captures[i].isTruncated();
    }
    if (!data->truncated)
        data->order = std::move(m_order);
    if (command.redaction || command.removesEscapeSequences)
        applyTextPolicies(command, data);
    if (m_run) {
        data->mechanism = m_run->mechanism();
        data->duration = m_run->duration();
    }
    if (m_news.exit && m_news.exit->usage) {
        const rusage &usage = *m_news.exit->usage;
        const auto time = [](const timeval &value) {
            return std::chrono::seconds(value.tv_sec) + std::chrono::microseconds(value.tv_usec);
        };
        data->usage = ResourceUsage{ time(usage.ru_utime), time(usage.ru_stime),
                                     qint64(usage.ru_maxrss) * 1024 };
    }
    if (m_news.verdict) {
        static constexpr Outcome outcomes[] = { Outcome::TimedOut, Outcome::WentQuiet,
                                                Outcome::Cancelled };
        data->outcome = outcomes[int(*m_news.verdict)];
    } else if (!m_news.exit || !m_news.exit->known) {
        data->outcome = Outcome::Unknown;
    } else {
        data->outcome = m_news.exit->signalled ? Outcome::Signalled : Outcome::Exited;
        data->code = m_news.exit->code;
    }
    if (m_foundLine) {
        data->foundLine = *m_foundLine;
        if (!m_news.verdict)
            data->outcome = Outcome::Exited; // by our own kill: it has done what was wanted
        data->code = command.successCodes.value(0);
    }
    const bool isTooMuch = m_captures[0].isTooMuch() || m_captures[1].isTooMuch()
            || (m_options.wholeOutputRequired && data->truncated);
    if (isTooMuch) {
        data->error = ProcessError(ProcessError::Kind::OutputTooLarge, command.program,
                                   QStringLiteral("output of %1 bytes")
                                           .arg(data->byteCounts[0] + data->byteCounts[1]),
                                   0);
    } else if (m_news.writeError && m_news.writeError != EPIPE) {
        data->error = ProcessError(ProcessError::Kind::Input, command.program,
                                   QStringLiteral("write to standard input"), m_news.writeError);
    }
    return result;
}

} // namespace ProcessKit
