using System.Globalization;
using Google.Protobuf.Reflection;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.RocketAdministration;

/// <summary>Values of the protocol's enums as its users write them; a value that has no name is its number.</summary>
internal static class WireNames
{
    public static string Of(Wire.Language language) => Of(nameof(Wire.Language), (int)language);

    public static string Of(Wire.ClientType type) => Of(nameof(Wire.ClientType), (int)type);

    public static string Of(Wire.MessageType type) => Of(nameof(Wire.MessageType), (int)type);

    private static string Of(string type, int number) =>
        Wire.DefinitionReflection.Descriptor.FindTypeByName<EnumDescriptor>(type).FindValueByNumber(number)?.Name
            ?? number.ToString(CultureInfo.InvariantCulture);
}
