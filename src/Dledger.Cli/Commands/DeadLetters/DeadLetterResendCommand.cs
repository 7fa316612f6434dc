using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Lookups;

namespace Dledger.Cli.Commands.DeadLetters;

/// <summary>
/// <c>dledger dlq resend</c>: to the origin topic, where all groups see it, or to the group that failed only; each letter once.
/// </summary>
internal static class DeadLetterResendCommand
{
    private const int BatchMax = 100;
    private const double RateMax = 10_000;

    public static Command Create(Terminal terminal)
    {
        var group = DeadLetterCommand.GroupArgument();
        var ids = new Option<string[]>("--id", "-i")
        {
            Description = "The message id of a letter; may be given several times.",
            AllowMultipleArgumentsPerToken = true,
        };
        var all = new Option<bool>("--all") { Description = "All letters that were not sent again yet." };
        var rate = new Option<double>("--rate", "-r")
        {
            Description = "With --all: at most so many in a second, 0.01..10000.",
            DefaultValueFactory = _ => 100,
            HelpName = "letters",
        };
        var topic = DeadLetterCommand.TopicOption();
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say which would be sent." };
        var toGroup = new Option<bool>("--to-group")
        {
            Description = "Not to the topic: the messages themselves are delivered again to this group, and to no other one.",
        };
        return new Command("resend", "Send dead letters to the topic they came from again, where all its groups see them.")
        {
            group, ids, all, rate, topic, toGroup, dryRun,
        }.Serving(terminal, async (channel, result, isJson, cancellationToken) =>
        {
            var wanted = result.GetValue(ids) ?? [];
            if ((wanted.Length > 0) == result.GetValue(all))
            {
                throw new UsageException("Say which letters to send again: --id <message id>, or --all.", "See: dledger dlq show <group>");
            }

            if (result.GetValue(rate) is not (>= 0.01 and <= RateMax))
            {
                throw new UsageException($"--rate {result.GetValue(rate)} is outside 0.01..{RateMax} letters in a second.");
            }

            var resending = new Resending(terminal, new LookupClient(channel), result.GetValue(group)!)
            {
                Ids = wanted,
                Topic = result.GetValue(topic),
                Rate = result.GetValue(all) ? result.GetValue(rate) : RateMax,
                ToGroup = result.GetValue(toGroup),
                IsDryRun = result.GetValue(dryRun),
                IsJson = isJson,
            };
            return await resending.RunAsync(cancellationToken);
        });
    }

    /// <summary>One run. It may be stopped and started again: what was sent is not sent again.</summary>
    private sealed class Resending(Terminal terminal, LookupClient client, string group)
    {
        private readonly List<(int QueueId, long Offset)> _batch = [];
        private readonly List<string> _problems = [];
        private long _sent;
        private long _sentBefore;

        public required IReadOnlyList<string> Ids { get; init; }

        public required string? Topic { get; init; }

        public required double Rate { get; init; }

        public required bool ToGroup { get; init; }

        public required bool IsDryRun { get; init; }

        public required bool IsJson { get; init; }

        public async Task<ExitCode> RunAsync(CancellationToken cancellationToken)
        {
            var missing = new HashSet<string>(Ids, StringComparer.Ordinal);
            var batchSize = (int)Math.Clamp(Rate / 10, 1, BatchMax);
            var begun = TimeProvider.System.GetTimestamp();
            var count = 0L;
            await foreach (var letter in DeadLetterCommand.SelectAsync(client, group, Topic, false, cancellationToken))
            {
                if (Ids.Count > 0 && !Ids.Contains(letter.Message.MessageId))
                {
                    continue;
                }

                missing.Remove(letter.Message.MessageId);
                if (letter.IsResent)
                {
                    _sentBefore++;
                    continue;
                }

                _batch.Add((letter.Message.QueueId, letter.Message.Offset));
                count++;
                if (_batch.Count >= batchSize)
                {
                    await SendAsync(cancellationToken);
                    var due = TimeSpan.FromSeconds(count / Rate) - TimeProvider.System.GetElapsedTime(begun);
                    if (due > TimeSpan.Zero && !IsDryRun)
                    {
                        await Task.Delay(due, cancellationToken);
                    }
                }
            }

            await SendAsync(cancellationToken);
            _problems.AddRange(missing.Select(id => $"there is no dead letter with the id '{Lookups.LookupAnswer.Plain(id)}'"));
            Report();
            return _problems.Count == 0 ? ExitCode.Ok : missing.Count > 0 ? ExitCode.NotFound : ExitCode.Refused;
        }

        private async Task SendAsync(CancellationToken cancellationToken)
        {
            if (_batch.Count > 0)
            {
                var results = await client.ResendDeadLettersAsync(group, _batch, ToGroup, IsDryRun, cancellationToken);
                _sent += results.Count(each => each.IsSent);
                _sentBefore += results.Count(each => each.WasSentBefore);
                _problems.AddRange(results.Where(each => !each.IsSent && !each.WasSentBefore).Select(each =>
                    $"{each.QueueId}/{each.Offset}: {each.Problem}"));
            }

            _batch.Clear();
        }

        private void Report()
        {
            if (IsJson)
            {
                JsonText.Write(
                    terminal.Output, new { group, toGroup = ToGroup, isDryRun = IsDryRun, sent = _sent, sentBefore = _sentBefore, problems = _problems });
                return;
            }

            terminal.Output.WriteLine(
                $"{_sent} dead letter{(_sent == 1 ? "" : "s")} {(IsDryRun ? "would be sent" : "sent")} again"
                + (ToGroup ? $" to group {group} only, " : ", ")
                + $"{_sentBefore} had been before");
            foreach (var problem in _problems)
            {
                terminal.Fault(problem);
            }
        }
    }
}
