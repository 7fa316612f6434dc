using Dledger.Client.Tests.Nodes;

namespace Dledger.Cli.Tests;

/// <summary>Every answer of the commands, for people and for programs, against golden files.</summary>
public sealed class OutputTests
{
    [Theory]
    [InlineData("topic-list", "topic list")]
    [InlineData("topic-list-json", "topic list --json")]
    [InlineData("topic-create", "topic create orders --queues 8")]
    [InlineData("topic-create-json", "topic create orders --queues 8 --json")]
    [InlineData("topic-describe", "topic describe orders")]
    [InlineData("topic-describe-json", "topic describe orders --json")]
    [InlineData("topic-create-retention", "topic create metrics --retention-time 2h --retention-bytes 10GiB")]
    [InlineData("topic-describe-retention", "topic describe metrics")]
    [InlineData("topic-describe-retention-json", "topic describe metrics --json")]
    [InlineData("topic-alter", "topic alter orders --retention-time 90m")]
    [InlineData("topic-alter-json", "topic alter orders --retention-bytes 500MiB --json")]
    [InlineData("topic-alter-default", "topic alter orders --retention-time default --retention-bytes default")]
    [InlineData("topic-create-quota", "topic create orders --produce-messages-per-second 500")]
    [InlineData("topic-alter-quota", "topic alter orders --produce-messages-per-second 500 --produce-bytes-per-second 10MiB")]
    [InlineData("topic-alter-quota-json", "topic alter orders --produce-bytes-per-second 10MiB --json")]
    [InlineData("topic-alter-quota-wrong", "topic alter orders --produce-bytes-per-second plenty")]
    [InlineData("topic-describe-quota", "topic describe limited")]
    [InlineData("group-create-quota", "group create shippers --receive-bytes-per-second 500KiB")]
    [InlineData("group-alter-quota", "group alter shippers --receive-messages-per-second 200 --receive-bytes-per-second 1MiB")]
    [InlineData("group-alter-quota-json", "group alter shippers --receive-messages-per-second 200 --json")]
    [InlineData("group-describe-quota", "group describe limited")]
    [InlineData("topic-delete", "topic delete orders --yes")]
    [InlineData("topic-delete-unconfirmed", "topic delete orders")]
    [InlineData("topic-delete-dry-run", "topic delete orders --dry-run")]
    [InlineData("topic-delete-dry-run-json", "topic delete orders --dry-run --json")]
    [InlineData("group-list", "group list")]
    [InlineData("group-list-json", "group list --json")]
    [InlineData("group-create", "group create shippers")]
    [InlineData("group-create-json", "group create shippers --json")]
    [InlineData("group-describe", "group describe shippers")]
    [InlineData("group-describe-json", "group describe shippers --json")]
    [InlineData("group-seek", "group seek shippers --topic orders --to earliest")]
    [InlineData("group-seek-latest", "group seek shippers --topic orders --to latest --dry-run")]
    [InlineData("group-seek-offset-json", "group seek shippers --topic orders --queue 1 --to offset:25 --dry-run --json")]
    [InlineData("group-seek-time", "group seek shippers --topic orders --to time:2026-05-01T08:00:05Z")]
    [InlineData("group-seek-back", "group seek shippers --topic orders --queue 0 --to -5")]
    [InlineData("group-seek-unknown", "group seek nobody --topic orders --to earliest")]
    [InlineData("group-alter", "group alter shippers --max-attempts 5")]
    [InlineData("group-alter-json", "group alter shippers --backoff 1 5 30 --json")]
    [InlineData("group-delete", "group delete shippers --yes")]
    [InlineData("group-delete-json", "group delete shippers --yes --json")]
    [InlineData("group-delete-unconfirmed", "group delete shippers")]
    [InlineData("group-delete-dry-run", "group delete shippers --dry-run")]
    [InlineData("group-delete-dry-run-json", "group delete shippers --dry-run --json")]
    [InlineData("cluster-status", "cluster status")]
    [InlineData("cluster-status-json", "cluster status --json")]
    [InlineData("cluster-transfer", "cluster transfer --to 3")]
    [InlineData("cluster-transfer-json", "cluster transfer --to 3 --json")]
    [InlineData("node-list", "node list")]
    [InlineData("node-list-json", "node list --json")]
    [InlineData("node-add", "node add 4=node4.example:9081")]
    [InlineData("node-add-json", "node add 4=node4.example:9081 --json")]
    [InlineData("node-add-no-address", "node add 4")]
    [InlineData("node-remove", "node remove 4")]
    [InlineData("node-remove-json", "node remove 4 --json")]
    [InlineData("node-drain", "node drain 2")]
    [InlineData("node-drain-undo", "node drain 2 --undo")]
    [InlineData("node-drain-json", "node drain 2 --json")]
    [InlineData("node-transfer", "node transfer 3")]
    [InlineData("node-transfer-any-json", "node transfer --json")]
    public async Task An_answer_is_the_one_of_its_golden_file(string name, string command)
    {
        await using var node = await ScriptedNode.StartAsync();

        var run = await CommandRun.OfAsync([.. command.Split(' '), "--address", node.Address]);

        GoldenOutput.Check(name, run.Describe(command, (node.Address, "<address>")));
    }

    [Theory]
    [InlineData("node-add-waits", "node add 4=node4.example:9081", 3)]
    [InlineData("node-add-once", "node add 4=[::4]:9081 --timeout 0", 3)]
    [InlineData("node-remove-once-json", "node remove 4 --timeout 0 --json", 3)]
    public async Task A_change_that_takes_a_while_says_what_it_waits_for(string name, string command, int asks)
    {
        await using var node = await ScriptedNode.StartAsync();
        node.Admin.MembershipAsks = asks;

        var run = await CommandRun.OfAsync([.. command.Split(' '), "--address", node.Address]);

        GoldenOutput.Check(name, run.Describe(command, (node.Address, "<address>")));
    }

    [Theory]
    [InlineData("help", "--help")]
    [InlineData("help-dev", "dev --help")]
    [InlineData("help-serve", "serve --help")]
    [InlineData("help-produce", "produce --help")]
    [InlineData("help-consume", "consume --help")]
    [InlineData("help-topic-create", "topic create --help")]
    [InlineData("help-bench", "bench --help")]
    [InlineData("help-bench-produce", "bench produce --help")]
    [InlineData("help-bench-backlog", "bench backlog --help")]
    [InlineData("bench-no-workload", "bench")]
    [InlineData("bench-size", "bench produce --size 23")]
    [InlineData("bench-sizes", "bench produce --size 100,,1KiB")]
    [InlineData("bench-in-flight", "bench produce --in-flight 5000")]
    [InlineData("bench-buffers", "bench produce --in-flight 4096 --size 1MiB")]
    [InlineData("bench-rate", "bench end-to-end --rate 0")]
    [InlineData("bench-duration", "bench produce --duration soon")]
    [InlineData("bench-consumers", "bench consume --topics 9")]
    [InlineData("bench-many-topics", "bench many-topics --topics 1")]
    [InlineData("bench-option-of-another", "bench produce --consumers 3")]
    [InlineData("bench-name", "bench produce --name orders")]
    [InlineData("bench-evict", "bench backlog --evict no-such-directory")]
    [InlineData("bench-output", "bench produce --output no-such-directory/report.json")]
    [InlineData("help-node-add", "node add --help")]
    [InlineData("usage-no-command", "")]
    [InlineData("usage-unknown-command", "topic frobnicate")]
    [InlineData("usage-unknown-option", "topic list --colour red")]
    [InlineData("usage-missing-argument", "topic create")]
    [InlineData("usage-wait", "topic list --wait -1")]
    [InlineData("usage-alter-nothing", "topic alter orders")]
    [InlineData("usage-group-alter-nothing", "group alter shippers")]
    [InlineData("usage-retention-time", "topic alter orders --retention-time soon")]
    [InlineData("usage-retention-bytes", "topic create orders --retention-bytes -5")]
    [InlineData("usage-seek-place", "group seek shippers --topic orders --to yesterday")]
    [InlineData("usage-address", "topic list --address nowhere:at:all")]
    [InlineData("serve-no-file", "serve --config no-such-file.json")]
    [InlineData("serve-problems", "serve --set client.prot=1 --set limits.bodySize=9GiB --set nodeId=0")]
    [InlineData("log-verify-no-directory", "log verify no-such-directory")]
    public async Task A_command_line_that_needs_no_node_answers_as_its_golden_file(string name, string command)
    {
        var run = await CommandRun.OfAsync(command.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        GoldenOutput.Check(name, run.Describe(command));
    }
}
