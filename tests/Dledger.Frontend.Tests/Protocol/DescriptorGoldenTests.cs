using System.Globalization;
using System.Text;
using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;
using Dledger.Protocol.Node.V1;
using Dledger.Protocol.Producer.V1;
using Google.Protobuf.Reflection;

namespace Dledger.Frontend.Tests.Protocol;

/// <summary>Freezes names and numbers of everything that travels. A line may be added; a changed or missing one breaks
/// programs that are already out there.</summary>
public sealed class DescriptorGoldenTests
{
    public static TheoryData<string> Files =>
    [
        "definition", "service", "admin", "offsets", "parking", "transactions", "checks", "timers", "messages", "deadletters",
        "producer", "routes", "rocketadmin", "clients", "stream", "lite",
    ];

    [Theory]
    [MemberData(nameof(Files))]
    public void Names_and_numbers_are_those_of_the_golden_file(string name)
    {
        var actual = Describe(Descriptor(name));
        var path = Path.Combine(AppContext.BaseDirectory, "Golden", $"{name}.proto.txt");
        var expected = File.Exists(path) ? File.ReadAllText(path) : "";

        // The new text lies beside the test's own output, to be reviewed and copied when the change is meant.
        if (expected != actual)
        {
            File.WriteAllText(path + ".actual", actual);
        }

        Assert.Equal(expected, actual);
    }

    [Fact]
    public void The_service_has_the_seventeen_methods_of_the_protocol_under_their_paths()
    {
        var methods = ServiceReflection.Descriptor.Services.Single().Methods;

        Assert.Equal("apache.rocketmq.v2.MessagingService", ServiceReflection.Descriptor.Services.Single().FullName);
        Assert.Equal(17, methods.Count);
        Assert.Equal("apache/rocketmq/v2/service.proto", ServiceReflection.Descriptor.Name);
        Assert.Equal("apache/rocketmq/v2/definition.proto", DefinitionReflection.Descriptor.Name);
    }

    private static FileDescriptor Descriptor(string name) => name switch
    {
        "definition" => DefinitionReflection.Descriptor,
        "service" => ServiceReflection.Descriptor,
        "producer" => ProducerReflection.Descriptor,
        "offsets" => OffsetsReflection.Descriptor,
        "transactions" => TransactionsReflection.Descriptor,
        "checks" => ChecksReflection.Descriptor,
        "timers" => TimersReflection.Descriptor,
        "lite" => LiteReflection.Descriptor,
        "messages" => MessagesReflection.Descriptor,
        "deadletters" => DeadlettersReflection.Descriptor,
        "parking" => ParkingReflection.Descriptor,
        "routes" => RoutesReflection.Descriptor,
        "rocketadmin" => Apache.Rocketmq.V2.AdminReflection.Descriptor,
        "clients" => ClientsReflection.Descriptor,
        "stream" => Dledger.Protocol.Stream.V1.StreamReflection.Descriptor,
        _ => Dledger.Protocol.Admin.V1.AdminReflection.Descriptor,
    };

    private static string Describe(FileDescriptor file)
    {
        var lines = new List<string>();
        foreach (var type in file.EnumTypes)
        {
            Add(lines, type);
        }

        foreach (var type in file.MessageTypes)
        {
            Add(lines, type);
        }

        foreach (var method in file.Services.SelectMany(service => service.Methods))
        {
            var from = method.IsClientStreaming ? "stream " : "";
            var to = method.IsServerStreaming ? "stream " : "";
            lines.Add($"rpc {method.FullName} ({from}{method.InputType.FullName}) ({to}{method.OutputType.FullName})");
        }

        return lines.Aggregate(new StringBuilder(), (text, line) => text.Append(line).Append('\n')).ToString();
    }

    private static void Add(List<string> lines, EnumDescriptor type) => lines.AddRange(
        type.Values.Select(value => string.Create(
            CultureInfo.InvariantCulture, $"enum {type.FullName} {value.Number} {value.Name}")));

    private static void Add(List<string> lines, MessageDescriptor type)
    {
        foreach (var field in type.Fields.InFieldNumberOrder())
        {
            var kind = field.FieldType switch
            {
                FieldType.Message => field.MessageType.FullName,
                FieldType.Enum => field.EnumType.FullName,
                _ => field.FieldType.ToString(),
            };
            var label = field.IsRepeated ? "repeated "
                : field.RealContainingOneof is { } oneof ? $"oneof({oneof.Name}) "
                : field.HasPresence && field.FieldType != FieldType.Message ? "optional "
                : "";
            lines.Add(string.Create(
                CultureInfo.InvariantCulture, $"field {type.FullName} {field.FieldNumber} {label}{kind} {field.Name}"));
        }

        foreach (var nested in type.EnumTypes)
        {
            Add(lines, nested);
        }

        foreach (var nested in type.NestedTypes)
        {
            Add(lines, nested);
        }
    }
}
